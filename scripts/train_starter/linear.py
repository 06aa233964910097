"""Logistic regression over named features, for tables of weights that people can read.

Maximum likelihood with an L2 penalty, by Adagrad (Duchi, Hazan and Singer 2011); rounded, and small
weights are left out.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

PENALTY = 2e-4
_STEPS = 300
_SMALLEST_WEIGHT = 0.1
_MINIMUM_COUNT = 2  # examples that show a feature

Weights = dict[str, float]


def fit(
    examples: Sequence[Iterable[str]], targets: Sequence[bool], penalty: float = PENALTY
) -> Weights:
    """Weights by feature, from the features of each example; both classes weigh the same in all."""
    names = _vocabulary(examples)
    rows, columns = _matrix(examples, names)
    wanted = np.array(targets, dtype=np.float64)
    importance = np.where(wanted > 0, 0.5 / wanted.sum(), 0.5 / (1 - wanted).sum())
    weights = np.zeros(len(names))
    squares = np.full(len(names), 1e-12)
    for _ in range(_STEPS):
        scores = np.bincount(rows, weights[columns], len(examples))
        residuals = importance * (1 / (1 + np.exp(-scores)) - wanted)
        gradient = np.bincount(columns, residuals[rows], len(names)) + penalty * weights
        squares += gradient**2
        weights -= 0.5 * gradient / np.sqrt(squares)
    return {
        name: round(float(weight), 2)
        for name, weight in zip(names, weights, strict=True)
        if abs(weight) >= _SMALLEST_WEIGHT
    }


def write(path: Path, weights: Weights) -> None:
    """A line per feature: its name, a tab, its weight."""
    lines = [f"{name}\t{weight:g}\n" for name, weight in sorted(weights.items())]
    path.write_text("".join(lines), encoding="utf-8")


def _vocabulary(examples: Iterable[Iterable[str]]) -> dict[str, int]:
    counts = Counter(feature for example in examples for feature in example)
    common = sorted(feature for feature, count in counts.items() if count >= _MINIMUM_COUNT)
    return {feature: index for index, feature in enumerate(common)}


def _matrix(
    examples: Iterable[Iterable[str]], names: Mapping[str, int]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The ones of a sparse matrix of example and feature: int64[n] rows, int64[n] columns."""
    ones = [
        (row, names[feature])
        for row, example in enumerate(examples)
        for feature in example
        if feature in names
    ]
    rows, columns = np.array(ones, dtype=np.int64).T
    return rows, columns
