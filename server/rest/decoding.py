"""Audio files of any format as samples, block by block, so that a long file needs no memory.

ffmpeg, through PyAV, in a worker thread. Formats that are lists of other files (HLS, DASH, concat
and their like) are not read at all: what they name would be opened here, on the server.
"""

import asyncio
import io
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer

from engines.errors import ProtocolError
from server.audio import Samples

RATE_HZ = 16_000

_BLOCK_SAMPLES = 10 * RATE_HZ
_BLOCK_PACKETS = 2000  # after which the thread looks up, however little they decode to
_FORMATS = (
    "aac,ac3,aiff,amr,amrnb,amrwb,ape,asf,au,avi,caf,eac3,flac,flv,gsm,matroska,webm,mov,mp4,m4a,"
    "3gp,3g2,mj2,mp3,mpeg,mpegts,ogg,opus,tta,voc,w64,wav,wv"
)
_OPTIONS = {"format_whitelist": _FORMATS, "protocol_whitelist": "none"}
_HIGHEST_RATE_HZ = 768_000  # of any recorder
_MOST_SAMPLES_A_SECOND = 192_000  # of all channels: 48 kHz with four of them


@dataclass(slots=True)
class _Bounds:
    """How much more may be decoded."""

    max_seconds: float
    seconds: float = 0.0
    samples: int = 0  # of all channels, as they are in the file

    def add(self, frame: AudioFrame) -> None:
        """Count a frame. Raises `ProtocolError` when it is too much, or no sound that anybody has:
        the filter for a rate that a damaged header claims takes seconds to make."""
        if not 0 < frame.sample_rate <= _HIGHEST_RATE_HZ:
            raise _no_audio(f"its rate is {frame.sample_rate} Hz")
        self.seconds += frame.samples / frame.sample_rate
        self.samples += frame.samples * frame.layout.nb_channels
        too_many = self.samples > self.max_seconds * _MOST_SAMPLES_A_SECOND
        if too_many or self.seconds > self.max_seconds:
            raise ProtocolError(
                f"The audio is longer than {self.max_seconds:g} s. Send it in shorter parts.",
                code="audio_too_long",
                param="file",
            )


async def decode(data: bytes, max_seconds: float) -> AsyncGenerator[Samples, None]:
    """Blocks of float32[n], mono, 16 kHz, some of them empty.

    What is broken inside a file is left out, as players do. Raises `ProtocolError` for what is no
    audio, or too much of it.
    """
    blocks = _decode(data, max_seconds)
    while (block := await asyncio.to_thread(next, blocks, None)) is not None:
        yield block


def _decode(data: bytes, max_seconds: float) -> Iterator[Samples]:
    try:
        with av.open(io.BytesIO(data), "r", options=_OPTIONS) as container:
            stream = next(iter(container.streams.audio), None)
            if stream is None:
                raise _no_audio("it has no sound")
            yield from _blocks(_resampled(container, stream, _Bounds(max_seconds)))
    except av.FFmpegError as error:
        raise _no_audio(error.strerror) from error
    except ValueError as error:  # a sound that changes its form half way
        raise _no_audio(error) from error


def _blocks(pieces: Iterator[Samples]) -> Iterator[Samples]:
    """At least one sample in all, or `ProtocolError`."""
    waiting: list[Samples] = []
    total = 0
    for number, piece in enumerate(pieces):
        waiting.append(piece)
        total += len(piece)
        if sum(map(len, waiting)) >= _BLOCK_SAMPLES or number % _BLOCK_PACKETS == 0:
            yield np.concatenate(waiting)
            waiting = []
    if not total:
        raise _no_audio("nothing in it can be decoded")
    if waiting:
        yield np.concatenate(waiting)


def _resampled(
    container: InputContainer, stream: AudioStream, bounds: _Bounds
) -> Iterator[Samples]:
    """What each packet holds."""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE_HZ)
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except av.InvalidDataError:
            continue
        pieces = []
        for frame in frames:
            bounds.add(frame)
            pieces += resampler.resample(frame)
        yield _samples_of(pieces)
    yield _samples_of(resampler.resample(None))


def _samples_of(frames: list[AudioFrame]) -> Samples:
    parts = [frame.to_ndarray().reshape(-1) for frame in frames]
    joined: Samples = np.concatenate([*parts, np.zeros(0, np.float32)])
    return np.nan_to_num(np.clip(joined, -1.0, 1.0))


def _no_audio(reason: object) -> ProtocolError:
    return ProtocolError(
        f"The audio cannot be decoded: {reason}.", code="invalid_audio", param="file"
    )
