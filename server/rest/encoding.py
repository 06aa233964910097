"""Samples as an audio file of a common format, part by part, through PyAV's ffmpeg."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, cast

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream

from server.audio import Samples, encode_pcm16, int16_from_samples

AudioFileFormat: TypeAlias = Literal["mp3", "opus", "aac", "flac", "wav", "pcm"]

RATE_HZ = 24_000  # of every format: what OpenAI's "pcm" is known to have


@dataclass(frozen=True, slots=True)
class _Muxer:
    content_type: str
    container: str = ""  # ffmpeg's name; "": samples as they are
    codec: str = ""
    options: Mapping[str, str] = field(default_factory=dict)


_MUXERS: dict[AudioFileFormat, _Muxer] = {
    "mp3": _Muxer("audio/mpeg", "mp3", "libmp3lame"),
    "opus": _Muxer("audio/ogg", "ogg", "libopus", {"page_duration": "100000"}),  # µs; else 1 s
    "aac": _Muxer("audio/aac", "adts", "aac"),
    "flac": _Muxer("audio/flac", "flac", "flac"),
    "wav": _Muxer("audio/wav", "wav", "pcm_s16le"),
    "pcm": _Muxer("audio/pcm"),
}


def content_type(name: AudioFileFormat) -> str:
    """The media type of a format."""
    return _MUXERS[name].content_type


class FileEncoder:
    """One file in the making: mono, 24 kHz. Nothing of it is kept once it is given out.

    The sizes in a WAV or FLAC header say "unknown", since it is sent before they are known.
    """

    def __init__(self, name: AudioFileFormat) -> None:
        self._made = _Written()
        self._stream: AudioStream | None = None
        muxer = _MUXERS[name]
        if muxer.container:
            self._container = av.open(
                self._made, "w", format=muxer.container, options=dict(muxer.options)
            )
            stream = self._container.add_stream(muxer.codec, rate=RATE_HZ, layout="mono")
            self._stream = cast(AudioStream, stream)

    def push(self, samples: Samples) -> bytes:
        """The next part of the file, often empty, with float32[n]."""
        if self._stream is None:
            return encode_pcm16(int16_from_samples(samples))
        if len(samples):
            self._mux(self._stream, _frame(samples))
        return self._made.take()

    def close(self) -> bytes:
        """The last part."""
        if self._stream is not None:
            self._mux(self._stream, None)
            self._container.close()
        return self._made.take()

    def _mux(self, stream: AudioStream, frame: AudioFrame | None) -> None:
        for packet in stream.encode(frame):
            self._container.mux(packet)


class _Written:
    """What ffmpeg writes to: it cannot go back, so what is written can be sent."""

    def __init__(self) -> None:
        self._data = bytearray()

    def write(self, data: bytes) -> int:
        self._data += data
        return len(data)

    def take(self) -> bytes:
        taken = bytes(self._data)
        self._data.clear()
        return taken


def _frame(samples: Samples) -> AudioFrame:
    pcm = int16_from_samples(samples).reshape(1, -1)
    frame = AudioFrame.from_ndarray(pcm, format="s16", layout="mono")
    frame.sample_rate = RATE_HZ
    return frame
