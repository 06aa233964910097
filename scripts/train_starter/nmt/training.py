"""Trains against the clock, with checkpoints that can be taken up again."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from scripts.train_starter.nmt.model import Size, Translator
from scripts.train_starter.nmt.pairs import pair
from scripts.train_starter.nmt.tokenizer import Codec
from scripts.train_starter.precision import mixed_precision
from scripts.train_starter.stt.optimizer import Average, Optimizer, learning_rate_scale

PAIRS_PER_BATCH = 96
_POOL_BATCHES = 16  # sorted by length, then cut into batches
_PADDING = -1
_MASKED = -1e4
_LOG_STEPS = 50
_CHECKPOINT_SECONDS = 60.0

Example = tuple[list[int], list[int]]


@dataclass(slots=True)
class Progress:
    """What has been done so far."""

    steps: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Batch:
    """Ids [B, S], mask [B, 1, 1, S] to add, inputs and targets [B, T]; targets of -1 count not."""

    source: Tensor
    pad: Tensor
    inputs: Tensor
    targets: Tensor


class Trainer:
    """The model, and its running mean, which is what is exported."""

    def __init__(self, codec: Codec, checkpoint: Path, device: str) -> None:
        torch.manual_seed(0)
        self.codec, self.checkpoint, self.device = codec, checkpoint, device
        self.model = Translator(Size(len(codec.vocabulary))).to(device)
        self.optimizer = Optimizer(self.model)
        self.average = Average(self.model)
        self.progress = Progress()

    def train(self, minutes: float) -> None:
        """Until so many minutes are spent, those of earlier runs included."""
        progress, losses = self.progress, []
        began, saved = time.monotonic() - progress.seconds, progress.seconds
        for batch in self._batches(random.Random(progress.steps)):
            fraction = progress.seconds / (60 * minutes)
            if fraction >= 1:
                break
            loss = self._loss(batch)
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step(learning_rate_scale(progress.steps, fraction))
            self.average.update(progress.steps)
            progress.steps += 1
            progress.seconds = time.monotonic() - began
            losses.append(loss.item())
            if progress.steps % _LOG_STEPS == 0:
                mean = sum(losses) / len(losses)
                losses = []
                print(f"step {progress.steps}, {progress.seconds:.0f} s, {mean:.3f}", flush=True)
            if progress.seconds - saved > _CHECKPOINT_SECONDS:
                saved = progress.seconds
                self.save()
        self.save()

    def save(self) -> None:
        """Write the checkpoint; a stop in the middle leaves the one before."""
        state = {
            "model": self.model.state_dict(),
            "average": self.average.state(),
            "optimizer": self.optimizer.state(),
            "progress": (self.progress.steps, self.progress.seconds),
            "size": asdict(self.model.size),
        }
        partial = self.checkpoint.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(self.checkpoint)

    def resume(self) -> None:
        """Take up the checkpoint."""
        state: dict[str, Any] = torch.load(self.checkpoint, map_location=self.device)
        self.model.load_state_dict(state["model"])
        self.average.load_state(state["average"])
        self.optimizer.load_state(state["optimizer"])
        self.progress = Progress(*state["progress"])

    def _loss(self, batch: Batch) -> Tensor:
        with mixed_precision(self.device):
            logits = self.model(batch.source, batch.pad, batch.inputs)
        return functional.cross_entropy(
            logits.float().flatten(0, 1), batch.targets.flatten(), ignore_index=_PADDING
        )

    def _batches(self, rng: random.Random) -> Iterator[Batch]:
        while True:
            made = [pair(rng, "train") for _ in range(PAIRS_PER_BATCH * _POOL_BATCHES)]
            pool = [
                (self.codec.source(one.source, one.target_language), self.codec.target(one.target))
                for one in made
            ]
            pool.sort(key=lambda example: (len(example[0]), len(example[1])))
            groups = [
                pool[at : at + PAIRS_PER_BATCH] for at in range(0, len(pool), PAIRS_PER_BATCH)
            ]
            rng.shuffle(groups)
            for group in groups:
                yield _batch(group, self.device)


def _batch(examples: Sequence[Example], device: str) -> Batch:
    source = _padded([source for source, _ in examples])
    end = 0  # of the vocabulary; it begins a target too
    inputs = _padded([[end, *target] for _, target in examples])
    targets = _padded([[*target, end] for _, target in examples])
    pad = torch.where(source == _PADDING, _MASKED, 0.0)[:, None, None]
    parts = (source.clamp(min=0), pad, inputs.clamp(min=0), targets)
    return Batch(*(part.to(device) for part in parts))


def _padded(rows: Sequence[list[int]]) -> Tensor:
    length = max(map(len, rows))
    return torch.tensor([[*row, *[_PADDING] * (length - len(row))] for row in rows])
