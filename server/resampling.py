"""A stream of samples from one rate to another: a polyphase FIR filter, applied block by block.

For a ratio of L/M every M input samples give L output samples, each the product of the same L
filters with the input around it: one product of matrices for all blocks of a chunk. The filters
are one windowed sinc (Kaiser; Oppenheim and Schafer, Discrete-Time Signal Processing, 7.6), flat to
nine tenths of the lower Nyquist frequency and down by 80 dB from that frequency on.

soxr was here before. Its fixed ratio works in large blocks and holds back up to 115 ms; its
variable ratio holds back 10 to 30 ms and took half of the CPU time of a call that streams.
"""

from collections.abc import Sequence
from functools import cache
from math import ceil, gcd, pi

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]

_PASS, _STOP = 0.9, 1.0  # of the lower Nyquist frequency
_ATTENUATION_DB = 80.0
_FEWEST_OUTPUTS = 32  # of a block, so that the product is worth its call


class Resampler:
    """Resamples a stream of mono float32, chunk by chunk.

    It holds back 4 ms (24 to 16 kHz) to 8 ms (8 to 16 kHz) of filter, and less than a block of at
    most 10 ms. Equal rates pass through untouched and at once.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self.from_hz = from_hz
        self.to_hz = to_hz
        self._filters, self._hop = _filters(from_hz, to_hz)
        self._begin()

    def push(self, *chunks: Samples) -> Samples:
        """What is ready by now, float32[m] at `to_hz`."""
        if self.from_hz == self.to_hz:
            return np.concatenate(chunks) if len(chunks) > 1 else chunks[0]
        self._num_in += sum(map(len, chunks))
        return self._run(chunks)

    def num_missing(self, num_out: int) -> int:
        """Samples that have to be pushed before `num_out` more are ready."""
        if self.from_hz == self.to_hz:
            return num_out
        blocks: int = ceil(num_out / self._filters.shape[1])
        return len(self._filters) + (blocks - 1) * self._hop - len(self._waiting)

    def flush(self) -> Samples:
        """The rest, so that the whole stream keeps its length; a new stream begins after it."""
        if self.from_hz == self.to_hz:
            return np.zeros(0, np.float32)
        missing = ceil(self._num_in * self.to_hz / self.from_hz) - self._num_out
        rest = self._run([np.zeros(len(self._filters) + self._hop, np.float32)])[:missing]
        self._begin()
        return rest

    def _begin(self) -> None:
        before = (len(self._filters) - self._hop) // 2  # the first output stands on the first input
        self._waiting = np.zeros(before, np.float32)
        self._num_in = self._num_out = 0

    def _run(self, chunks: Sequence[Samples]) -> Samples:
        waiting = np.concatenate([self._waiting, *chunks])
        width, hop = len(self._filters), self._hop
        blocks = max(0, (len(waiting) - width) // hop + 1)
        self._waiting = waiting[blocks * hop :]
        if not blocks:
            return np.zeros(0, np.float32)
        windows = np.ndarray((blocks, width), np.float32, waiting, strides=(4 * hop, 4))
        resampled: Samples = windows.copy() @ self._filters  # rows that overlap take twice as long
        self._num_out += resampled.size
        return resampled.reshape(-1)


def resample(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    """A whole recording, float32[n] at `from_hz`, at `to_hz`."""
    resampler = Resampler(from_hz, to_hz)
    return np.concatenate([resampler.push(samples), resampler.flush()])


@cache
def _filters(from_hz: int, to_hz: int) -> tuple[Samples, int]:
    """float32[inputs seen, outputs] of one block, and how many inputs further the next one is."""
    divisor = gcd(from_hz, to_hz)
    outputs, hop = to_hz // divisor, from_hz // divisor
    times = ceil(_FEWEST_OUTPUTS / outputs)
    outputs, hop = times * outputs, times * hop
    half = _half_width(from_hz, to_hz)
    inputs = np.arange(-half, half + hop)
    centres = np.arange(outputs) * from_hz / to_hz
    taps = _windowed_sinc(inputs[:, None] - centres[None], half, _cutoff(from_hz, to_hz))
    return (taps / taps.sum(axis=0)).astype(np.float32), hop


def _half_width(from_hz: int, to_hz: int) -> int:
    """Input samples on each side of an output, by Kaiser's formula for the attenuation."""
    transition = pi * (_STOP - _PASS) * min(from_hz, to_hz) / from_hz
    return ceil((_ATTENUATION_DB - 8) / (2.285 * transition) / 2)


def _cutoff(from_hz: int, to_hz: int) -> float:
    """The middle of the transition, as a share of the input's Nyquist frequency."""
    return (_PASS + _STOP) / 2 * min(from_hz, to_hz) / from_hz


def _windowed_sinc(
    offsets: npt.NDArray[np.float64], half: int, cutoff: float
) -> npt.NDArray[np.float64]:
    beta = 0.1102 * (_ATTENUATION_DB - 8.7)
    inside = np.clip(1 - (offsets / half) ** 2, 0.0, None)
    window = np.where(np.abs(offsets) <= half, np.i0(beta * np.sqrt(inside)) / np.i0(beta), 0.0)
    return np.sinc(cutoff * offsets) * window
