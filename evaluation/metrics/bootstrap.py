"""How sure a figure is: the bootstrap over utterances (Bisani and Ney 2004, ICASSP).

Utterances are drawn with replacement as often as there are, and the figure is taken of each such
sample; the middle 95% of those figures are the interval. Words of one utterance are wrong
together, so that drawing words instead would make it too narrow. Two systems are compared on the
same draws of the same utterances.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

NUM_SAMPLES = 2000
FEWEST_DIFFERING = 6  # of one sign: chance alone gives 3% of such; five would be 6%
_CHUNK = 100  # samples drawn at once, so that large corpora fit into memory
_Z = 1.96  # standard deviations that hold 95% of a normal distribution
_SEED = 0  # the same data give the same interval

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its 95% interval."""

    value: float
    low: float
    high: float
    num: int  # utterances


@dataclass(frozen=True, slots=True)
class Difference:
    """B minus A on the same utterances."""

    value: float
    low: float
    high: float
    p_value: float  # two-sided: how often a difference of the other sign was drawn, doubled
    num: int
    num_differing: int  # utterances

    @property
    def is_too_few(self) -> bool:
        """Something differs, but too little to tell it from chance: draws of it are all alike."""
        return 0 < self.num_differing < FEWEST_DIFFERING

    @property
    def is_significant(self) -> bool:
        """At the level of 5%."""
        return self.p_value < 0.05 and not self.is_too_few


def ratio(numerators: Sequence[float], denominators: Sequence[float]) -> Interval:
    """Sum over sum, such as errors over words; both hold one entry for every utterance."""
    above, below = np.asarray(numerators, float), np.asarray(denominators, float)
    drawn = _ratios(above, below)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Interval(_ratio(above, below), float(low), float(high), len(above))


def share(truths: Sequence[bool]) -> Interval:
    """How often it was so. No draws: where all or none are so, they would all be the same.

    Source: Wilson 1927, JASA 22(158).
    """
    count = len(truths)
    rate = sum(truths) / count
    middle = (rate + _Z**2 / (2 * count)) / (1 + _Z**2 / count)
    spread = math.sqrt(rate * (1 - rate) / count + _Z**2 / (4 * count**2))
    width = _Z * spread / (1 + _Z**2 / count)
    return Interval(rate, max(0.0, middle - width), min(1.0, middle + width), count)


def paired_difference(
    first: Sequence[float], second: Sequence[float], denominators: Sequence[float]
) -> Difference:
    """Sum(second)/sum(denominators) minus that of `first`, utterance by utterance the same."""
    below = np.asarray(denominators, float)
    above = np.asarray(second, float) - np.asarray(first, float)
    drawn = _ratios(above, below)
    low, high = np.percentile(drawn, [2.5, 97.5])
    other_sign = min(float(np.mean(drawn <= 0)), float(np.mean(drawn >= 0)))
    p_value = min(1.0, 2 * max(other_sign, 1 / NUM_SAMPLES)) if above.any() else 1.0
    num_differing = int(np.count_nonzero(above))
    value = _ratio(above, below)
    return Difference(value, float(low), float(high), p_value, len(above), num_differing)


def _ratio(above: Values, below: Values) -> float:
    whole = float(below.sum())
    return float(above.sum()) / whole if whole else 0.0


def _ratios(above: Values, below: Values) -> Values:
    rng = np.random.default_rng(_SEED)
    parts = []
    for _ in range(NUM_SAMPLES // _CHUNK):
        drawn = rng.integers(0, len(above), (_CHUNK, len(above)))
        parts.append(above[drawn].sum(axis=1) / np.maximum(below[drawn].sum(axis=1), 1e-9))
    return np.concatenate(parts)
