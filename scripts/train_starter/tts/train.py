"""Training of the acoustic model, by the clock, with checkpoints that can be taken up again."""

import math
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from scripts.train_starter.domain import LANGUAGES
from scripts.train_starter.precision import mixed_precision
from scripts.train_starter.tts.data import Example
from scripts.train_starter.tts.features import NUM_BANDS, NUM_FEATURES
from scripts.train_starter.tts.model import PITCH, VOICED, AcousticModel

BATCH_FRAMES = 3000
_PEAK_LEARNING_RATE, _LAST_LEARNING_RATE = 2e-3, 1e-5
_WARM_UP_STEPS = 100
_LOSS_WEIGHTS = {"duration": 1.0, "bands": 1.0, "pitch": 0.5, "voiced": 0.5, "aperiodicity": 0.3}
_REPORT_SECONDS = 30.0
_DECIBELS_PER_NEPER = 10 / math.log(10)  # of power


@dataclass(frozen=True, slots=True)
class Batch:
    """B sentences of up to T symbols and L frames."""

    ids: Tensor  # [B, T]
    frames: Tensor  # [B, T]
    features: Tensor  # [B, L, NUM_FEATURES]
    ids_mask: Tensor  # [B, T, 1]
    frames_mask: Tensor  # [B, L, 1]
    speakers: Tensor  # [B]


@dataclass(slots=True)
class Progress:
    """What a checkpoint holds beside the weights."""

    seconds: float = 0.0
    steps: int = 0


class Trainer:
    """One run. `train` returns when `minutes` of training, earlier runs included, have passed."""

    def __init__(
        self, examples: Sequence[Example], held_out: Sequence[Example], device: str
    ) -> None:
        torch.manual_seed(0)
        self._rng = random.Random(0)
        self._device = device
        self._examples = sorted(examples, key=lambda example: len(example.features))
        self._held_out = [collate([example], device) for example in held_out]
        self.model = AcousticModel(len(LANGUAGES)).to(device)
        _normalise(self.model, examples)
        self._optimizer = torch.optim.AdamW(
            self.model.parameters(), weight_decay=0.01, betas=(0.9, 0.98)
        )
        self.progress = Progress()

    def train(self, minutes: float, checkpoint: Path) -> None:
        """Train on, saving to `checkpoint` with every report of progress."""
        reported = time.monotonic()
        while self.progress.seconds < minutes * 60:
            started = time.monotonic()
            losses = self._step(self.progress.seconds / (minutes * 60))
            self.progress.seconds += time.monotonic() - started
            self.progress.steps += 1
            if time.monotonic() - reported > _REPORT_SECONDS:
                self._report(losses, minutes)
                self.save(checkpoint)
                reported = time.monotonic()
        self.save(checkpoint)

    def save(self, checkpoint: Path) -> None:
        """Weights, optimizer and progress."""
        partial = checkpoint.with_suffix(".partial")
        torch.save(
            {
                "model": self.model.state_dict(),
                "optimizer": self._optimizer.state_dict(),
                "seconds": self.progress.seconds,
                "steps": self.progress.steps,
            },
            partial,
        )
        partial.replace(checkpoint)

    def resume(self, checkpoint: Path) -> None:
        """Go on from what `save` wrote."""
        state = torch.load(checkpoint, map_location=self._device, weights_only=True)
        self.model.load_state_dict(state["model"])
        self._optimizer.load_state_dict(state["optimizer"])
        self.progress = Progress(state["seconds"], state["steps"])
        self._rng.seed(state["steps"])

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """Mean losses on the held-out sentences, with the envelope's error in dB."""
        self.model.eval()
        results = [
            losses(self.model, batch) | {"envelope_db": envelope_error_db(self.model, batch)}
            for batch in self._held_out
        ]
        self.model.train()
        return {name: float(np.mean([float(r[name]) for r in results])) for name in results[0]}

    def _step(self, done: float) -> dict[str, Tensor]:
        for group in self._optimizer.param_groups:
            group["lr"] = self._learning_rate(done)
        with mixed_precision(self._device):
            parts = losses(self.model, self._next_batch())
        total = sum(_LOSS_WEIGHTS[name] * value for name, value in parts.items())
        self._optimizer.zero_grad()
        total.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self._optimizer.step()
        return parts

    def _learning_rate(self, done: float) -> float:
        """A linear start, then half a cosine over the whole time; `done` is 0 to 1."""
        warm = min(1.0, (self.progress.steps + 1) / _WARM_UP_STEPS)
        cosine = 0.5 + 0.5 * math.cos(math.pi * min(done, 1.0))
        return _PEAK_LEARNING_RATE * warm * cosine + _LAST_LEARNING_RATE

    def _next_batch(self) -> Batch:
        """Neighbours in length, about `BATCH_FRAMES` in all."""
        start = self._rng.randrange(len(self._examples))
        size = max(1, BATCH_FRAMES // len(self._examples[start].features))
        start = min(start, max(0, len(self._examples) - size))
        return collate(self._examples[start : start + size], self._device)

    def _report(self, parts: dict[str, Tensor], minutes: float) -> None:
        shown = " ".join(f"{name} {float(value):.3f}" for name, value in parts.items())
        held_out = " ".join(f"{name} {value:.3f}" for name, value in self.evaluate().items())
        print(
            f"{self.progress.seconds / 60:5.1f} of {minutes:g} min, step {self.progress.steps}: "
            f"{shown} | held out: {held_out}",
            flush=True,
        )


def losses(model: AcousticModel, batch: Batch) -> dict[str, Tensor]:
    """Mean absolute errors of normalised features; cross-entropy of voicing."""
    encoded, log_frames = model.encode(batch.ids, batch.ids_mask, batch.speakers)
    expected_log = torch.log1p(batch.frames)
    x, mask = model.regulate(encoded, batch.frames)
    predicted = model.decode(x, mask, batch.speakers)
    expected = (batch.features - model.mean) / model.deviation
    error = (predicted - expected).abs()
    voiced = batch.features[..., VOICED : VOICED + 1]
    voicing = F.binary_cross_entropy_with_logits(
        predicted[..., VOICED : VOICED + 1], voiced, reduction="none"
    )
    sounding = mask * voiced
    return {
        "duration": _mean((log_frames - expected_log).abs().unsqueeze(-1), batch.ids_mask),
        "bands": _mean(error[..., :NUM_BANDS], mask),
        "pitch": _mean(error[..., PITCH : PITCH + 1], sounding),
        "voiced": _mean(voicing, mask),
        "aperiodicity": _mean(error[..., VOICED + 1 :], sounding),
    }


def envelope_error_db(model: AcousticModel, batch: Batch) -> Tensor:
    """Mean absolute error of the bands in dB, with the true durations."""
    encoded, _ = model.encode(batch.ids, batch.ids_mask, batch.speakers)
    x, mask = model.regulate(encoded, batch.frames)
    predicted = model.decode(x, mask, batch.speakers) * model.deviation + model.mean
    error = (predicted - batch.features)[..., :NUM_BANDS].abs()
    return _mean(error, mask) * _DECIBELS_PER_NEPER


def collate(examples: Sequence[Example], device: str) -> Batch:
    """Sentences of different lengths in one batch, zeros where one is shorter."""
    num_ids = max(len(example.ids) for example in examples)
    num_frames = max(len(example.features) for example in examples)
    ids = torch.zeros(len(examples), num_ids, dtype=torch.long)
    frames = torch.zeros(len(examples), num_ids)
    features = torch.zeros(len(examples), num_frames, NUM_FEATURES)
    ids_mask = torch.zeros(len(examples), num_ids, 1)
    frames_mask = torch.zeros(len(examples), num_frames, 1)
    for row, example in enumerate(examples):
        ids[row, : len(example.ids)] = torch.from_numpy(example.ids)
        frames[row, : len(example.ids)] = torch.from_numpy(example.frames)
        features[row, : len(example.features)] = torch.from_numpy(example.features)
        ids_mask[row, : len(example.ids)] = 1
        frames_mask[row, : len(example.features)] = 1
    speakers = torch.tensor([example.speaker for example in examples])
    tensors = (ids, frames, features, ids_mask, frames_mask, speakers)
    return Batch(*(tensor.to(device) for tensor in tensors))


def _mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean over the places where `mask` is 1, and over the last axis."""
    return (values * mask).sum() / torch.clamp(mask.sum(), min=1) / values.shape[-1]


def _normalise(model: AcousticModel, examples: Sequence[Example]) -> None:
    """Mean and deviation of the features; voicing stays 0 and 1, since it is a logit."""
    features = np.concatenate([example.features for example in examples])
    mean, deviation = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-3)
    mean[VOICED], deviation[VOICED] = 0.0, 1.0
    model.mean.copy_(torch.from_numpy(mean))
    model.deviation.copy_(torch.from_numpy(deviation))
