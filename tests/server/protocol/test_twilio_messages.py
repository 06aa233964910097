"""Twilio's messages: what each says, and that no text whatever does more than be refused."""

import base64
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.errors import ProtocolError
from server.protocol import twilio_messages
from server.protocol.twilio_messages import Key, Mark, Media, Other, Start, Stop, decode

FORMAT = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
START = {"streamSid": "MZ1", "callSid": "CA1", "mediaFormat": FORMAT, "customParameters": {}}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=4,
)


def said(event: str, **fields: Any) -> str:
    return json.dumps({"event": event, "sequenceNumber": "4", "streamSid": "MZ1", **fields})


def test_every_message_of_a_call() -> None:
    assert decode('{"event": "connected", "protocol": "Call", "version": "1.0.0"}') == Other()
    assert decode(said("start", start=START)) == Start("MZ1", "CA1")
    assert decode(said("mark", mark={"name": "7"})) == Mark("7")
    assert decode(said("dtmf", dtmf={"track": "inbound_track", "digit": "#"})) == Key("#")
    assert decode(said("stop", stop={"callSid": "CA1"})) == Stop()


def test_audio_is_mu_law() -> None:
    media = {"track": "inbound", "payload": base64.b64encode(b"\xff\x00\x80").decode()}
    message = decode(said("media", media=media))
    assert isinstance(message, Media)
    assert message.samples == pytest.approx([0.0, -0.98, 0.98], abs=0.01)


def test_what_others_hear_is_none_of_ours() -> None:
    assert decode(said("media", media={"track": "outbound", "payload": "AA=="})) == Other()


def test_what_is_sent_has_twilios_words() -> None:
    wire = json.loads(twilio_messages.media("MZ1", np.zeros(2, dtype=np.int16)))
    assert wire == {"event": "media", "streamSid": "MZ1", "media": {"payload": "//8="}}
    wire = json.loads(twilio_messages.mark("MZ1", "3"))
    assert wire == {"event": "mark", "streamSid": "MZ1", "mark": {"name": "3"}}
    assert json.loads(twilio_messages.clear("MZ1")) == {"event": "clear", "streamSid": "MZ1"}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("[]", "''"),
        ("{}", "'event'"),
        (said("media"), "'media'"),
        (said("media", media={"payload": "?"}), "'media.payload'"),
        (said("media", media={"payload": "é"}), "'media.payload'"),
        (said("dtmf", dtmf={"digit": "12"}), "'dtmf.digit'"),
        (said("start", start={**START, "mediaFormat": {**FORMAT, "channels": 2}}), "channels"),
        (said("start", start={**START, "mediaFormat": {}}), "'start.mediaFormat.encoding'"),
        (said("mark", mark={"name": 3}), "'mark.name'"),
    ],
)
def test_a_wrong_message_is_refused_by_the_name_of_its_field(text: str, names: str) -> None:
    with pytest.raises(ProtocolError, match=names):
        decode(text)


@given(st.text() | JSON.map(json.dumps))
def test_any_text_is_a_message_or_refused(text: str) -> None:
    try:
        decode(text)
    except ProtocolError as error:
        assert str(error)  # noqa: PT017 (which of both it is, is not known)


@given(
    st.sampled_from(["start", "media", "mark", "dtmf", "stop"]),
    st.dictionaries(
        st.sampled_from(["track", "payload", "name", "digit", "callSid", "mediaFormat"]), JSON
    ),
)
def test_any_body_is_a_message_or_refused(event: str, body: dict[str, Any]) -> None:
    try:
        message = decode(said(event, **{event: body}))
    except ProtocolError as error:
        assert str(error)  # noqa: PT017
    else:
        assert not isinstance(message, Start)  # which needs more than that
