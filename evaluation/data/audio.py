"""Audio files in and out: 16 kHz, mono, 16 bit."""

import io
import wave
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from faster_whisper.audio import decode_audio

from evaluation.data.rows import RowError
from evaluation.recording import Pcm
from server.audio import samples_from_int16

RATE_HZ = 16_000

Samples = npt.NDArray[np.float32]


def decode(data: bytes) -> Samples:
    """An audio file of any format that FFmpeg knows as float32[n], mono, 16 kHz.

    Raises `RowError` for what is no audio, or has none in it.
    """
    try:
        samples: Samples = decode_audio(io.BytesIO(data), sampling_rate=RATE_HZ)
    except (av.FFmpegError, IndexError, ValueError) as error:
        raise RowError(f"the audio cannot be decoded: {error}") from error
    if not len(samples):
        raise RowError("the audio is empty")
    return samples


def wav_bytes(samples: Pcm) -> bytes:
    """int16[n] at 16 kHz as a WAV file."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples.astype("<i2", copy=False).tobytes())
    return buffer.getvalue()


def read_wav(path: Path) -> Samples:
    """A WAV file of the plain layout as float32[n]. Raises `ValueError` for any other file."""
    with wave.open(str(path), "rb") as file:
        shape = (file.getnchannels(), file.getsampwidth(), file.getframerate())
        if shape != (1, 2, RATE_HZ):
            raise ValueError(f"{path} has (channels, bytes, Hz) {shape}, not (1, 2, {RATE_HZ})")
        return samples_from_int16(np.frombuffer(file.readframes(file.getnframes()), dtype="<i2"))
