"""What is wrong with synthesized audio that no transcript shows: clipping, silence, level."""

from dataclasses import dataclass

import numpy as np

from evaluation.recording import SILENCE_PEAK, Pcm, voiced_span

CLIPPED_RUN = 3  # samples at full scale in a row: one alone is a peak
LONGEST_SILENCE_SECONDS = 1.0  # at either end, or between words

_FULL_SCALE = 32767


@dataclass(frozen=True, slots=True)
class Signal:
    """Of one utterance."""

    seconds: float
    level_db: float  # root mean square of the voiced part, relative to full scale
    num_clipped: int  # samples in runs at full scale
    leading_seconds: float  # silence before the first sound
    trailing_seconds: float  # and after the last
    longest_gap_seconds: float  # silence between sounds

    @property
    def faults(self) -> tuple[str, ...]:
        """What a listener would notice."""
        found = {
            "silent": self.level_db == -np.inf,
            "clipped": self.num_clipped > 0,
            "late": self.leading_seconds > LONGEST_SILENCE_SECONDS,
            "trailing": self.trailing_seconds > LONGEST_SILENCE_SECONDS,
            "gap": self.longest_gap_seconds > LONGEST_SILENCE_SECONDS,
        }
        return tuple(name for name, is_so in found.items() if is_so)


def inspect(samples: Pcm, rate_hz: int) -> Signal:
    """Of int16[n]."""
    span = voiced_span(samples)
    if span is None:
        seconds = len(samples) / rate_hz
        return Signal(seconds, -np.inf, 0, seconds, 0.0, 0.0)
    voiced = samples[span[0] : span[1]].astype(np.float64) / (_FULL_SCALE + 1)
    return Signal(
        seconds=len(samples) / rate_hz,
        level_db=float(10 * np.log10(np.mean(np.square(voiced)))),
        num_clipped=_num_clipped(samples),
        leading_seconds=span[0] / rate_hz,
        trailing_seconds=(len(samples) - span[1]) / rate_hz,
        longest_gap_seconds=_longest_gap(samples[span[0] : span[1]]) / rate_hz,
    )


def _num_clipped(samples: Pcm) -> int:
    full = np.abs(samples.astype(np.int32)) >= _FULL_SCALE
    return sum(run for run in _runs(full) if run >= CLIPPED_RUN)


def _longest_gap(samples: Pcm) -> int:
    return max(_runs(np.abs(samples.astype(np.int32)) <= SILENCE_PEAK), default=0)


def _runs(flags: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> list[int]:
    """Lengths of the stretches in which it is so."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    lengths: list[int] = (edges[1::2] - edges[::2]).tolist()
    return lengths
