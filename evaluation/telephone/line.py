"""What a telephone line does to speech, and a network to its frames."""

import random

import numpy as np
import numpy.typing as npt

from evaluation.recording import Pcm
from server.audio import int16_from_samples, samples_from_int16
from server.g711 import RATE_HZ, decode_mu_law, encode_mu_law

FRAME_SECONDS = 0.02
FRAME_SAMPLES = round(FRAME_SECONDS * RATE_HZ)

_LOWEST_HZ, _HIGHEST_HZ = 300.0, 3400.0
_TAPS = 161  # 20 ms


def telephone_band(samples: Pcm) -> Pcm:
    """int16[n] at 8 kHz as the other end of an old line has it: 300 to 3400 Hz, µ-law."""
    if not len(samples):
        return samples
    passed = np.convolve(samples_from_int16(samples), _band_pass(), mode="same")
    coded = encode_mu_law(int16_from_samples(passed.astype(np.float32)))
    return int16_from_samples(decode_mu_law(coded))


def _band_pass() -> npt.NDArray[np.float64]:
    """A windowed sinc, float64[taps]."""
    time = np.arange(_TAPS) - _TAPS // 2
    high, low = 2 * _HIGHEST_HZ / RATE_HZ, 2 * _LOWEST_HZ / RATE_HZ
    ideal = high * np.sinc(high * time) - low * np.sinc(low * time)
    return np.asarray(ideal * np.hamming(_TAPS))


class Network:
    """Between the telephone and the server: delay, jitter and loss, the same for the same seed."""

    def __init__(
        self,
        *,
        delay_seconds: float = 0.0,
        jitter_seconds: float = 0.0,
        loss: float = 0.0,
        seed: int = 0,
    ) -> None:
        self._delay_seconds = delay_seconds
        self._jitter_seconds = jitter_seconds
        self._loss = loss
        self._random = random.Random(seed)
        self._last_seconds = 0.0

    def loses(self) -> bool:
        """Whether the next frame never arrives."""
        return self._random.random() < self._loss

    def arrives(self, sent_seconds: float) -> float:
        """When what is sent now arrives: never before what was sent before it."""
        jitter_seconds = self._jitter_seconds * self._random.random()
        arrives_seconds = sent_seconds + self._delay_seconds + jitter_seconds
        self._last_seconds = max(self._last_seconds, arrives_seconds)
        return self._last_seconds
