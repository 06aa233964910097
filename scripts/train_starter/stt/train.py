"""The training loop: one process with one thread for every core, or one process on a GPU."""

from __future__ import annotations

import os
import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, distributed

from scripts.train_starter.stt.batching import Variation, make_batch
from scripts.train_starter.stt.data import NUM_PHONEMES, TOKENIZER_NAME
from scripts.train_starter.stt.feed import Feed
from scripts.train_starter.stt.losses import losses
from scripts.train_starter.stt.model import Dimensions, Whisper
from scripts.train_starter.stt.optimizer import Average, Optimizer, learning_rate_scale
from scripts.train_starter.stt.tokenizer import Codec

CHECKPOINT_NAME = "checkpoint.pt"
CHECKPOINT_SECONDS = 240.0
LOG_STEPS = 50
FRAMES_PER_BATCH = {"cpu": 3000, "cuda": 24000}


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """What one run of the training needs to know."""

    corpus: Path
    checkpoints: Path
    minutes: float  # of training altogether, earlier runs included
    num_processes: int
    device: str
    plain_presentations: int = 14000  # of plain speech only, at first
    widening_share: float = 0.3  # when partial utterances and long windows begin

    @property
    def checkpoint(self) -> Path:
        """The newest state of the training."""
        return self.checkpoints / CHECKPOINT_NAME


@dataclass(slots=True)
class Progress:
    """How far the training is. `seconds` counts earlier runs too."""

    steps: int = 0
    presentations: int = 0
    seconds: float = 0.0


def variation(fraction: float, config: TrainConfig) -> Variation:
    """What is done to the examples when `fraction` of the time is spent."""
    if fraction < config.widening_share:
        return Variation(long_share=0.2)
    return Variation(partial_share=0.15, long_share=0.5)


def auxiliary_weight(fraction: float) -> float:
    """The aligned losses are full to 40% of the time, then fall to 30%."""
    return 1 - 0.7 * max(0.0, (fraction - 0.4) / 0.6)


def run(rank: int, config: TrainConfig) -> None:
    """Train as process `rank`; process 0 keeps the clock and the checkpoints."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    if config.num_processes > 1:
        _meet(rank, config)
    trainer = Trainer(rank, config)
    trainer.train()


def _meet(rank: int, config: TrainConfig) -> None:
    meeting = config.checkpoints / f"meeting-{os.getppid()}"
    distributed.init_process_group(
        "gloo", init_method=f"file://{meeting}", rank=rank, world_size=config.num_processes
    )


class Trainer:
    """The state of one process."""

    def __init__(self, rank: int, config: TrainConfig) -> None:
        self.rank, self.config = rank, config
        self.codec = Codec(config.corpus / TOKENIZER_NAME)
        size = Dimensions(self.codec.size, NUM_PHONEMES, self.codec.silence)
        self.model = Whisper(size).to(config.device)
        self.optimizer = Optimizer(self.model)
        self.average = Average(self.model)
        self.progress = Progress()
        self.feed = Feed(config.corpus, rank, config.num_processes, FRAMES_PER_BATCH[config.device])
        if config.checkpoint.exists():
            self._load(torch.load(config.checkpoint, map_location=config.device))

    def train(self) -> None:
        """Until the time is spent."""
        config, progress = self.config, self.progress
        rng = random.Random(1000 * progress.steps + self.rank)
        begun = time.monotonic() - progress.seconds
        saved, logged, recent = progress.seconds, (progress.seconds, progress.presentations), []
        fraction = progress.seconds / (60 * config.minutes)
        for examples in self.feed.batches(rng):
            self.feed.plain_only = progress.presentations < config.plain_presentations
            batch = make_batch(examples, self.codec, variation(fraction, config), rng)
            parts = losses(self.model, batch, config.device)
            parts.total(auxiliary_weight(fraction)).backward()  # type: ignore[no-untyped-call]
            recent.append(parts.stacked())
            seconds, count = self._synchronize(time.monotonic() - begun, len(examples))
            self.optimizer.step(learning_rate_scale(progress.steps, fraction))
            self.average.update(progress.steps)
            progress.steps += 1
            progress.presentations += count
            progress.seconds = seconds
            fraction = seconds / (60 * config.minutes)
            if progress.steps % LOG_STEPS == 0:
                self._log(recent, logged)
                logged, recent = (seconds, progress.presentations), []
            if seconds - saved > CHECKPOINT_SECONDS or fraction >= 1:
                saved = seconds
                self._save()
            if fraction >= 1:
                return

    def _synchronize(self, seconds: float, count: int) -> tuple[float, int]:
        """Average the gradients of all processes; agree on process 0's clock and on the count."""
        if self.config.num_processes == 1:
            return seconds, count
        gradients = [p.grad for p in self.optimizer.parameters if p.grad is not None]
        facts = torch.tensor([seconds if self.rank == 0 else 0.0, float(count)])
        flat = torch.cat([gradient.flatten() for gradient in gradients] + [facts])
        distributed.all_reduce(flat)
        parts = flat[:-2].div_(self.config.num_processes).split([g.numel() for g in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))
        return float(flat[-2]), round(float(flat[-1]))

    def _log(self, recent: list[Tensor], logged: tuple[float, int]) -> None:
        if self.rank != 0:
            return
        progress = self.progress
        rate = (progress.presentations - logged[1]) / (progress.seconds - logged[0])
        means = torch.stack(recent).mean(0).tolist()
        names = ("text", "phonemes", "frame tokens", "attention")
        parts = ", ".join(f"{n} {mean:.3f}" for n, mean in zip(names, means, strict=True))
        print(
            f"step {progress.steps}, {progress.presentations} presentations, "
            f"{progress.seconds:.0f} s, {rate:.1f}/s: {parts}",
            flush=True,
        )

    def _save(self) -> None:
        if self.rank != 0:
            return
        state = {
            "model": self.model.state_dict(),
            "average": self.average.state(),
            "optimizer": self.optimizer.state(),
            "progress": (self.progress.steps, self.progress.presentations, self.progress.seconds),
            "size": self.model.size.as_dict(),
        }
        partial = self.config.checkpoint.with_suffix(".partial")
        torch.save(state, partial)
        partial.rename(self.config.checkpoint)

    def _load(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.average.load_state(state["average"])
        self.optimizer.load_state(state["optimizer"])
        self.progress = Progress(*state["progress"])
