"""The audio formats of the OpenAI Realtime protocol: read, written, decoded and encoded.

The API knows `audio/pcm` at 24 kHz and G.711 at 8 kHz; PCM at 16 and 8 kHz is an extension.
"""

from collections.abc import Callable, Mapping
from typing import Any

import pybase64

from server import g711
from server.audio import Pcm, Samples, decode_pcm16, encode_pcm16
from server.protocol.fields import Fields
from server.settings import AudioFormat, AudioType

PCM_RATES_HZ = (24_000, 16_000, 8_000)  # the first is the default

_CODECS: Mapping[AudioType, tuple[Callable[[bytes], Samples], Callable[[Pcm], bytes]]] = {
    "audio/pcm": (decode_pcm16, encode_pcm16),
    "audio/pcmu": (g711.decode_mu_law, g711.encode_mu_law),
    "audio/pcma": (g711.decode_a_law, g711.encode_a_law),
}


def decode_audio(audio_format: AudioFormat, data: bytes) -> Samples:
    """Bytes of this format as float32[n]. Raises `ProtocolError` for half a sample."""
    decode, _ = _CODECS[audio_format.type]
    return decode(data)


def encode_audio(audio_format: AudioFormat, pcm: Pcm) -> bytes:
    """int16[n] as bytes of this format."""
    _, encode = _CODECS[audio_format.type]
    return encode(pcm)


def write_audio(audio_format: AudioFormat, pcm: Pcm) -> str:
    """int16[n] as bytes of this format in base64."""
    return pybase64.b64encode_as_string(encode_audio(audio_format, pcm))


def read_format(wire: Fields) -> AudioFormat:
    """A `format` object. Raises `ProtocolError`."""
    wire.only(("type", "rate"))
    kind = wire.choice("type", tuple(_CODECS))
    rates_hz = PCM_RATES_HZ if kind == "audio/pcm" else (g711.RATE_HZ,)
    return AudioFormat(kind, wire.choice("rate", rates_hz, rates_hz[0]))


def format_to_wire(audio_format: AudioFormat) -> dict[str, Any]:
    """A `format` object; that of G.711 has no rate."""
    if audio_format.type != "audio/pcm":
        return {"type": audio_format.type}
    return {"type": audio_format.type, "rate": audio_format.rate_hz}
