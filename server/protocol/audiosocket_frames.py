"""AudioSocket's wire: a byte that says what it is, a length of two (big-endian), and the payload.

As published by Asterisk (https://docs.asterisk.org/Configuration/Channel-Drivers/AudioSocket/).
"""

import struct
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from engines.errors import ProtocolError
from server.audio import Samples, decode_pcm16
from server.protocol.telephone import KEYS

HEADER = struct.Struct(">BH")

_OTHER_RATES = range(0x11, 0x19)  # signed linear at 12 to 192 kHz


class Kind(IntEnum):
    """What a frame is."""

    TERMINATE = 0x00
    UUID = 0x01
    DTMF = 0x03
    AUDIO = 0x10  # signed linear, 16 bits, 8 kHz, mono, little-endian
    ERROR = 0xFF


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame, of whatever kind."""

    kind: int
    payload: bytes = b""

    def to_bytes(self) -> bytes:
        """The frame as it goes over the wire."""
        return HEADER.pack(self.kind, len(self.payload)) + self.payload


class FrameParser:
    """Cuts a stream of bytes into frames. It keeps one unfinished frame, 64 KiB, and no more."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def push(self, data: bytes) -> Iterator[Frame]:
        """The frames that are whole by now."""
        self._buffer += data
        while len(self._buffer) >= HEADER.size:
            kind, length = HEADER.unpack_from(self._buffer)
            end = HEADER.size + length
            if len(self._buffer) < end:
                return
            payload = bytes(self._buffer[HEADER.size : end])
            del self._buffer[:end]
            yield Frame(kind, payload)


@dataclass(frozen=True, slots=True)
class Begin:
    """The call's name: the UUID that the dialplan gave it."""

    call: str


@dataclass(frozen=True, slots=True)
class Audio:
    """The caller's audio: float32[n] at 8 kHz."""

    samples: Samples


@dataclass(frozen=True, slots=True)
class Key:
    """The caller has pressed this key."""

    key: str


@dataclass(frozen=True, slots=True)
class End:
    """The call is over."""

    error: int | None = None  # Asterisk's code, if it was an error


Message = Begin | Audio | Key | End


def decode(frame: Frame) -> Message:
    """What a frame says. Raises `ProtocolError`."""
    match frame.kind:
        case Kind.AUDIO:
            return Audio(decode_pcm16(frame.payload))
        case Kind.UUID:
            return Begin(str(uuid.UUID(bytes=_payload(frame, 16))))
        case Kind.DTMF:
            return Key(_key(_payload(frame, 1)))
        case Kind.TERMINATE:
            return End()
        case Kind.ERROR:
            return End(frame.payload[0] if frame.payload else 0)
    if frame.kind in _OTHER_RATES:
        raise _invalid(frame, "is not audio at 8 kHz. Let the channel's format be slin")
    raise _invalid(frame, "is unknown")


def _payload(frame: Frame, num_bytes: int) -> bytes:
    if len(frame.payload) != num_bytes:
        raise _invalid(frame, f"has {len(frame.payload)} bytes, not {num_bytes}")
    return frame.payload


def _key(payload: bytes) -> str:
    key = payload.decode("latin-1")
    if key not in KEYS:
        raise ProtocolError(f"{key!r} is no key of a telephone.", code="invalid_frame")
    return key


def _invalid(frame: Frame, what: str) -> ProtocolError:
    return ProtocolError(f"A frame of kind 0x{frame.kind:02x} {what}.", code="invalid_frame")
