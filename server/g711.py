"""G.711, the telephone's 8 kHz codecs: µ-law and A-law to float32, from int16 (ITU-T G.711, 1988).

Both are logarithmic: a sign, a segment of three bits that doubles the step, and four bits within
it. 256 codes and 65536 samples are few enough for two tables each.
"""

import numpy as np
import numpy.typing as npt

from server.audio import Pcm, Samples, samples_from_int16

RATE_HZ = 8_000

_BIAS = 0x84  # of µ-law: makes every segment begin at a power of two
_MU_LAW_LIMIT = 32635  # more would overflow the last segment
_A_LAW_INVERSION = 0x55  # every other bit is inverted, so that silence has edges on a line

Codes = npt.NDArray[np.uint8]


def decode_mu_law(data: bytes) -> Samples:
    """Bytes of µ-law (`audio/pcmu`) as float32[n] in [-1, 1)."""
    return samples_from_int16(_MU_LAW_DECODED[np.frombuffer(data, dtype=np.uint8)])


def encode_mu_law(pcm: Pcm) -> bytes:
    """int16[n] as n bytes of µ-law."""
    return _MU_LAW_ENCODED[pcm.view(np.uint16)].tobytes()


def decode_a_law(data: bytes) -> Samples:
    """Bytes of A-law (`audio/pcma`) as float32[n] in [-1, 1)."""
    return samples_from_int16(_A_LAW_DECODED[np.frombuffer(data, dtype=np.uint8)])


def encode_a_law(pcm: Pcm) -> bytes:
    """int16[n] as n bytes of A-law."""
    return _A_LAW_ENCODED[pcm.view(np.uint16)].tobytes()


def _all_codes() -> npt.NDArray[np.int32]:
    return np.arange(256, dtype=np.int32)


def _all_samples() -> npt.NDArray[np.int32]:
    """Every int16, in the order of its bits as uint16: the index of the encoders' tables."""
    return np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)


def _segments(magnitudes: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """0 below 256, then one more for every doubling."""
    exponents: npt.NDArray[np.int32] = np.frexp(magnitudes)[1]
    return np.maximum(exponents - 8, 0)


def _mu_law_decoded() -> npt.NDArray[np.int16]:
    codes = ~_all_codes() & 0xFF
    magnitudes = (((codes & 0x0F) << 3) + _BIAS << (codes >> 4 & 7)) - _BIAS
    return np.where(codes & 0x80, -magnitudes, magnitudes).astype(np.int16)


def _mu_law_encoded() -> Codes:
    samples = _all_samples()
    magnitudes = np.minimum(np.abs(samples), _MU_LAW_LIMIT) + _BIAS
    segments = _segments(magnitudes)
    signs = np.where(samples < 0, 0x80, 0)
    steps = magnitudes >> segments + 3 & 0x0F
    codes: Codes = (~(signs | segments << 4 | steps)).astype(np.uint8)
    return codes


def _a_law_decoded() -> npt.NDArray[np.int16]:
    codes = _all_codes() ^ _A_LAW_INVERSION
    segments, steps = codes >> 4 & 7, (codes & 0x0F) << 4
    magnitudes = np.where(segments, steps + 0x108 << np.maximum(segments - 1, 0), steps + 8)
    return np.where(codes & 0x80, magnitudes, -magnitudes).astype(np.int16)


def _a_law_encoded() -> Codes:
    samples = _all_samples()
    magnitudes = np.where(samples < 0, ~samples, samples)
    segments = _segments(magnitudes)
    signs = np.where(samples < 0, 0, 0x80)
    steps = magnitudes >> np.maximum(segments, 1) + 3 & 0x0F
    codes: Codes = ((signs | segments << 4 | steps) ^ _A_LAW_INVERSION).astype(np.uint8)
    return codes


_MU_LAW_DECODED, _MU_LAW_ENCODED = _mu_law_decoded(), _mu_law_encoded()
_A_LAW_DECODED, _A_LAW_ENCODED = _a_law_decoded(), _a_law_encoded()
