"""A network with one hidden layer, its training and its figures; numpy is all it needs.

Maximum likelihood, both classes weighing the same, an L2 penalty, by Adam (Kingma and Ba 2015).
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

HIDDEN = 128
_SEVERAL = 3  # networks from other beginnings: each errs in its own way
_EPOCHS = 40
_BATCH = 128
_STEP = 3e-3
_PENALTY = 3e-4
_NEWTON_STEPS = 12
_RIDGE = 1e-6


def fit_several(inputs: Floats, targets: Floats) -> list[Floats]:
    """As `fit`, of several networks: their mean, which is a network as well."""
    hidden, bias, output, output_bias = zip(
        *(fit(inputs, targets, seed) for seed in range(1, _SEVERAL + 1)), strict=True
    )
    return [
        np.concatenate(hidden, axis=1),
        np.concatenate(bias),
        np.concatenate(output) / _SEVERAL,
        np.mean(output_bias, axis=0),
    ]


def fit(inputs: Floats, targets: Floats, seed: int = 1) -> list[Floats]:
    """Weights and biases of the hidden layer, then of the output.

    `inputs` float64[n, m] of mean 0 and variance 1, `targets` float64[n] of 0 and 1.
    """
    rng = np.random.default_rng(seed)
    layers: list[Floats] = []
    for size_in, size_out in pairwise((inputs.shape[1], HIDDEN, 1)):
        layers += [rng.normal(size=(size_in, size_out)) / np.sqrt(size_in), np.zeros(size_out)]
    importance = _importance(targets)
    first = [np.zeros_like(layer) for layer in layers]
    second = [np.zeros_like(layer) for layer in layers]
    step = 0
    for epoch in range(_EPOCHS):
        order = rng.permutation(len(inputs))
        for start in range(0, len(order), _BATCH):
            rows = order[start : start + _BATCH]
            gradients = _gradients(layers, inputs[rows], targets[rows], importance[rows])
            step += 1
            rate = _STEP * (1 - epoch / _EPOCHS)
            for index, gradient in enumerate(gradients):
                first[index] += 0.1 * (gradient - first[index])
                second[index] += 0.001 * (gradient**2 - second[index])
                slope = first[index] / (1 - 0.9**step)
                spread = np.sqrt(second[index] / (1 - 0.999**step)) + 1e-8
                layers[index] -= rate * slope / spread
    return layers


def logistic(inputs: Floats, targets: Floats) -> Floats:
    """float64[m] weights of a logistic regression, by Newton's method; a column of ones is the
    bias."""
    weights = np.zeros(inputs.shape[1])
    importance = _importance(targets)
    for _ in range(_NEWTON_STEPS):
        probabilities = 1 / (1 + np.exp(-inputs @ weights))
        gradient = inputs.T @ (importance * (targets - probabilities))
        curvature = importance * probabilities * (1 - probabilities)
        hessian = inputs.T @ (curvature[:, None] * inputs) + _RIDGE * np.eye(len(weights))
        weights += np.linalg.solve(hessian, gradient)
    return weights


def _importance(targets: Floats) -> Floats:
    """Of each example, so that both classes weigh the same in all."""
    weights: Floats = np.where(targets > 0, 0.5 / targets.mean(), 0.5 / (1 - targets.mean()))
    return weights


def area(scores: Floats, targets: Floats) -> float:
    """Under the ROC curve: how often a whole one scores higher than one that is not."""
    ranks = np.empty(len(scores))
    ranks[np.argsort(scores)] = np.arange(len(scores))
    positives, negatives = (targets > 0).sum(), (targets <= 0).sum()
    return float((ranks[targets > 0].mean() - (positives - 1) / 2) / negatives)


def balanced_accuracy(scores: Floats, targets: Floats) -> float:
    """Share that is right at log-odds 0, each class counting a half."""
    right = (scores > 0) == (targets > 0)
    return float((right[targets > 0].mean() + right[targets <= 0].mean()) / 2)


def _gradients(
    layers: Sequence[Floats], inputs: Floats, targets: Floats, importance: Floats
) -> list[Floats]:
    hidden = np.tanh(inputs @ layers[0] + layers[1])
    scores = (hidden @ layers[2] + layers[3])[:, 0]
    error = (importance * (1 / (1 + np.exp(-scores)) - targets) / len(inputs))[:, None]
    back = (error @ layers[2].T) * (1 - hidden**2)
    return [
        inputs.T @ back + _PENALTY * layers[0],
        back.sum(axis=0),
        hidden.T @ error + _PENALTY * layers[2],
        error.sum(axis=0),
    ]
