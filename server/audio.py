"""Samples on the wire and in the house: PCM16 to float32 and back.

What is heard is mono float32 in [-1, 1), as the engines want it; what is said is mono int16, which
every wire is made of. PCM16 on the wire is little-endian.
"""

import numpy as np
import numpy.typing as npt

from engines.errors import ProtocolError

Samples = npt.NDArray[np.float32]
Pcm = npt.NDArray[np.int16]

_FULL_SCALE = np.float32(32768.0)
_STEP = 1 / _FULL_SCALE  # a power of two: to multiply by it is as exact as to divide


def decode_pcm16(data: bytes) -> Samples:
    """PCM16 little-endian bytes as float32[n] in [-1, 1).

    Raises `ProtocolError` for an odd number of bytes.
    """
    if len(data) % 2:
        raise ProtocolError(
            f"The audio has {len(data)} bytes; 16-bit samples need an even number.",
            code="invalid_audio",
        )
    return samples_from_int16(np.frombuffer(data, dtype="<i2"))


def encode_pcm16(pcm: Pcm) -> bytes:
    """int16[n] as PCM16 little-endian."""
    return pcm.astype("<i2", copy=False).tobytes()


def samples_from_int16(pcm: Pcm) -> Samples:
    """int16[n] as float32[n] in [-1, 1)."""
    return pcm * _STEP


def int16_from_samples(samples: Samples) -> Pcm:
    """float32[n] as int16[n]; what exceeds [-1, 1) is clipped."""
    scaled: Samples = np.rint(samples * _FULL_SCALE)
    return scaled.clip(-_FULL_SCALE, _FULL_SCALE - 1, scaled).astype(np.int16)
