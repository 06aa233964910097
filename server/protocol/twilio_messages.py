"""The messages of Twilio's Media Streams, which are JSON texts on a WebSocket.

Numbers come as texts, audio as base64 of µ-law at 8 kHz. Messages that we have no use for, and ones
that are invented later, are `Other`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pybase64

from server.audio import Pcm, Samples
from server.g711 import RATE_HZ, decode_mu_law, encode_mu_law
from server.protocol.fields import Fields, invalid
from server.protocol.json_text import parse_json, write_json
from server.protocol.telephone import KEYS

ENCODING = "audio/x-mulaw"


@dataclass(frozen=True, slots=True)
class Start:
    """The stream begins."""

    stream_sid: str
    call_sid: str


@dataclass(frozen=True, slots=True)
class Media:
    """The caller's audio: float32[n] at 8 kHz."""

    samples: Samples


@dataclass(frozen=True, slots=True)
class Mark:
    """All audio sent before the mark of this name has been played, or was cleared."""

    name: str


@dataclass(frozen=True, slots=True)
class Key:
    """The caller has pressed this key."""

    key: str


@dataclass(frozen=True, slots=True)
class Stop:
    """The stream or the call has ended."""


@dataclass(frozen=True, slots=True)
class Other:
    """Nothing to us."""


Message = Start | Media | Mark | Key | Stop | Other


def decode(text: str) -> Message:
    """One message. Raises `ProtocolError`."""
    message = Fields(parse_json(text), "")
    decoder = _DECODERS.get(message.text("event"))
    return decoder(message) if decoder else Other()


def media(stream_sid: str, pcm: Pcm) -> bytes:
    """int16[n] at 8 kHz, to be played after all that was sent before."""
    payload = pybase64.b64encode_as_string(encode_mu_law(pcm))
    return _encoded("media", stream_sid, media={"payload": payload})


def mark(stream_sid: str, name: str) -> bytes:
    """To be sent back when what was sent before has been played."""
    return _encoded("mark", stream_sid, mark={"name": name})


def clear(stream_sid: str) -> bytes:
    """Drop what has not been played."""
    return _encoded("clear", stream_sid)


def _encoded(event: str, stream_sid: str, **fields: object) -> bytes:
    return write_json({"event": event, "streamSid": stream_sid, **fields})


def _start(message: Fields) -> Start:
    start = message.object("start")
    audio = start.object("mediaFormat")
    audio.choice("encoding", (ENCODING,))
    audio.choice("sampleRate", (RATE_HZ, str(RATE_HZ)))
    audio.choice("channels", (1, "1"))
    return Start(start.text("streamSid"), start.text("callSid"))


def _media(message: Fields) -> Message:
    body = message.object("media")
    if body.text("track", "inbound") != "inbound":
        return Other()
    encoded = body.text("payload")
    try:
        return Media(decode_mu_law(pybase64.b64decode(encoded, validate=True)))
    except ValueError as error:
        raise invalid("media.payload", encoded, f"base64 ({error})") from error


def _dtmf(message: Fields) -> Key:
    return Key(message.object("dtmf").choice("digit", tuple(KEYS)))


def _mark(message: Fields) -> Mark:
    return Mark(message.object("mark").text("name"))


def _stop(_: Fields) -> Stop:
    return Stop()


_DECODERS: dict[str, Callable[[Fields], Message]] = {
    "start": _start,
    "media": _media,
    "mark": _mark,
    "dtmf": _dtmf,
    "stop": _stop,
}
