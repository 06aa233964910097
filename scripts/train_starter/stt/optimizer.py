"""Muon for the matrices of the transformer, AdamW for all else, and a moving average of both."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

MUON_LEARNING_RATE = 3e-3  # scaled to AdamW's update size
ADAMW_LEARNING_RATE = 1.5e-3
WEIGHT_DECAY = 0.02
WARMUP_STEPS = 150
FINAL_SCALE = 0.01
MAX_GRADIENT_NORM = 2.0
AVERAGE_DECAY = 0.998


class Optimizer:
    """Both optimizers as one. Muon: Jordan et al. 2024, as in `torch.optim.Muon`."""

    def __init__(self, model: nn.Module) -> None:
        named = list(model.named_parameters())
        self.parameters: list[Tensor] = [parameter for _, parameter in named]
        matrices = [p for name, p in named if ".layers." in name and p.ndim == 2]
        chosen = {id(p) for p in matrices}
        others = [p for _, p in named if id(p) not in chosen]
        self._optimizers: list[torch.optim.Optimizer] = [
            torch.optim.Muon(
                matrices,
                lr=MUON_LEARNING_RATE,
                weight_decay=WEIGHT_DECAY,
                adjust_lr_fn="match_rms_adamw",
            ),
            torch.optim.AdamW(
                others, lr=ADAMW_LEARNING_RATE, betas=(0.9, 0.98), weight_decay=WEIGHT_DECAY
            ),
        ]
        self._rates = [group["lr"] for o in self._optimizers for group in o.param_groups]

    def step(self, scale: float) -> None:
        """One step at `scale` times the learning rates; clears the gradients."""
        nn.utils.clip_grad_norm_(self.parameters, MAX_GRADIENT_NORM)
        groups = [group for o in self._optimizers for group in o.param_groups]
        for group, rate in zip(groups, self._rates, strict=True):
            group["lr"] = rate * scale
        for optimizer in self._optimizers:
            optimizer.step()
            optimizer.zero_grad()

    def state(self) -> list[object]:
        """For a checkpoint."""
        return [optimizer.state_dict() for optimizer in self._optimizers]

    def load_state(self, state: Iterable[dict[str, object]]) -> None:
        """From a checkpoint."""
        for optimizer, saved in zip(self._optimizers, state, strict=True):
            optimizer.load_state_dict(saved)


class Average:
    """Exponential moving average of a model's weights: a good model long before the end."""

    def __init__(self, model: nn.Module) -> None:
        self._live = list(model.parameters())
        self._names = [name for name, _ in model.named_parameters()]
        self._mean = [parameter.detach().clone() for parameter in self._live]

    def update(self, step: int) -> None:
        """Follow the model; quickly at first."""
        decay = min(AVERAGE_DECAY, (1 + step) / (10 + step))
        torch._foreach_lerp_(self._mean, [p.detach() for p in self._live], 1 - decay)

    def state(self) -> dict[str, Tensor]:
        """Averaged parameters by name."""
        return dict(zip(self._names, self._mean, strict=True))

    def load_state(self, state: dict[str, Tensor]) -> None:
        """From a checkpoint."""
        for mean, name in zip(self._mean, self._names, strict=True):
            mean.copy_(state[name])


def learning_rate_scale(step: int, fraction: float) -> float:
    """Linear warm-up, then a cosine over the time that is planned (`fraction` of it is spent)."""
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, fraction)))
    return min(1.0, (step + 1) / WARMUP_STEPS) * max(FINAL_SCALE, cosine)
