"""Whatever a client sends, the decoder gives a command or a `ProtocolError` that names the field.

Messages that are right are spoilt in one or a few places: a field is lost, doubled, or holds
something else. That goes deeper than JSON drawn at random.
"""

import base64
import copy
import json
from collections.abc import Iterator
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engines.errors import ProtocolError
from server.commands import Command, Named, UpdateSettings
from server.protocol.realtime_commands import HANDLERS, Decoder, event_id_of
from server.protocol.realtime_session import to_wire
from server.settings import AudioFormat, Settings

LANGUAGES = ("en", "es")
VOICES = ("default", "carla")
TOOL = {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}}
AUDIO = {"type": "input_audio", "audio": base64.b64encode(bytes(8)).decode()}
MESSAGE = {
    "type": "message",
    "role": "user",
    "id": "a",
    "content": [{"type": "input_text", "text": "Hello"}, AUDIO],
}
ANSWERS = {
    "instructions": "Be kind.",
    "output_modalities": ["audio"],
    "tools": [TOOL],
    "tool_choice": {"type": "function", "name": "f"},
    "max_output_tokens": 9,
}
INPUT = {
    "format": {"type": "audio/pcm", "rate": 24_000},
    "transcription": {"model": "whisper-1", "language": "es"},
    "noise_reduction": {"type": "near_field"},
    "turn_detection": {
        "type": "server_vad",
        "threshold": 0.5,
        "prefix_padding_ms": 300,
        "silence_duration_ms": 500,
        "idle_timeout_ms": 6000,
        "create_response": True,
        "interrupt_response": True,
    },
}
OUTPUT = {"format": {"type": "audio/pcmu"}, "voice": "carla", "speed": 1.2}
SESSION = {
    **ANSWERS,
    "type": "realtime",
    "audio": {"input": INPUT, "output": OUTPUT},
    "tinig": {"events": ["state"], "binary_audio": True},
}
RESPONSE = {
    **ANSWERS,
    "conversation": "none",
    "metadata": {"topic": "x"},
    "input": [MESSAGE, {"type": "item_reference", "id": "b"}],
    "audio": {"output": {"voice": "carla"}},
}
CALL = {"type": "function_call", "name": "f", "arguments": "{}", "call_id": "c"}
MESSAGES: list[dict[str, Any]] = [
    {"type": "session.update", "session": SESSION},
    {"type": "session.update", "session": {"type": "transcription", "audio": {"input": INPUT}}},
    {"type": "input_audio_buffer.append", "audio": AUDIO["audio"]},
    {"type": "input_audio_buffer.commit"},
    {"type": "input_audio_buffer.clear"},
    {"type": "conversation.item.create", "item": MESSAGE, "previous_item_id": "root"},
    {"type": "conversation.item.create", "item": CALL},
    {
        "type": "conversation.item.create",
        "item": {"type": "function_call_output", "call_id": "c", "output": "o"},
    },
    {"type": "conversation.item.retrieve", "item_id": "a"},
    {"type": "conversation.item.delete", "item_id": "a"},
    {
        "type": "conversation.item.truncate",
        "item_id": "a",
        "content_index": 0,
        "audio_end_ms": 9,
    },
    {"type": "response.create", "response": RESPONSE},
    {"type": "response.cancel", "response_id": "r"},
]
NUMBERS = st.sampled_from([0, -1, 1e308, 10**40, float("inf"), float("nan"), 0.5, True])
TEXTS = st.sampled_from(["", "a", "\x00", "\ud800", "é" * 200, "auto", "none", "audio/pcma"])
ANYTHING = st.recursive(
    st.none() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
ROUGH = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in a message with each of its keys."""
    keys: list[Any] = []
    if isinstance(value, dict):
        keys = list(value)
    elif isinstance(value, list):
        keys = list(range(len(value)))
    for key in keys:
        yield value, key
        yield from places(value[key])


@st.composite
def spoilt(draw: st.DrawFn) -> str:
    """A message as JSON, wrong in one to three places."""
    message = copy.deepcopy(draw(st.sampled_from(MESSAGES)))
    message["event_id"] = "e"
    for _ in range(draw(st.integers(1, 3))):
        spots = list(places(message))
        container, key = spots[draw(st.integers(0, len(spots) - 1))]
        how = draw(st.sampled_from(["lose", "change", "add"]))
        if how == "lose":
            del container[key]
        elif how == "change" or isinstance(container, list):
            container[key] = draw(ANYTHING)
        else:
            container[draw(TEXTS)] = draw(ANYTHING)
        if not list(places(message)):
            break
    return json.dumps(message)


def decoder() -> Decoder:
    return Decoder(Settings(), LANGUAGES, VOICES)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: str(message["type"]))
def test_what_is_spoilt_below_was_right(message: dict[str, Any]) -> None:
    assert isinstance(decoder().decode(json.dumps(message)), Command)


def test_every_event_is_among_them() -> None:
    assert {message["type"] for message in MESSAGES} == set(HANDLERS)


@ROUGH
@given(spoilt())
def test_a_spoilt_message_is_a_command_or_an_error_in_words(text: str) -> None:
    told = outcome(text)
    if isinstance(told, ProtocolError):
        told_back: list[object] = [str(told), told.param, event_id_of(text)]
        assert str(told).endswith(".")
        assert len(str(told)) < 2000
    else:
        assert isinstance(told, Command)
        told_back = [to_wire(told.settings, "")] if isinstance(told, UpdateSettings) else []
    json.dumps(told_back, ensure_ascii=False, allow_nan=False).encode()


def outcome(text: str) -> Command | ProtocolError:
    try:
        command = decoder().decode(text)
    except ProtocolError as error:
        return error
    return command.command if isinstance(command, Named) else command


@pytest.mark.parametrize(
    "parameters",
    ['{"a": NaN}', '{"a": "\\ud800"}', '{"a": ' * 101 + "0" + "}" * 101],
    ids=["not a number", "half a character", "deep"],
)
def test_what_could_not_be_told_back_is_refused(parameters: str) -> None:
    tool = json.dumps({**TOOL, "parameters": "?"}).replace('"?"', parameters)
    with pytest.raises(ProtocolError) as raised:
        decoder().decode(f'{{"type": "session.update", "session": {{"tools": [{tool}]}}}}')
    assert raised.value.code == "invalid_json"


@ROUGH
@given(st.text() | st.binary().map(lambda data: data.decode(errors="surrogateescape")))
def test_any_text_is_refused_in_words(text: str) -> None:
    with pytest.raises(ProtocolError):
        decoder().decode(text)
    assert event_id_of(text) is None


@ROUGH
@given(st.binary(max_size=64), st.sampled_from(["audio/pcm", "audio/pcmu", "audio/pcma"]))
def test_any_bytes_are_audio_or_half_a_sample(data: bytes, kind: str) -> None:
    audio = AudioFormat(cast(Any, kind))
    heard = Decoder(Settings(input_format=audio, binary_audio=True), LANGUAGES, VOICES)
    if kind == "audio/pcm" and len(data) % 2:
        with pytest.raises(ProtocolError) as raised:
            heard.decode_binary(data)
        assert raised.value.code == "invalid_audio"
    else:
        assert isinstance(heard.decode_binary(data), Command)
