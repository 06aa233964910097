"""Training of the starter LLM against the clock, with checkpoints that can be taken up again."""

import copy
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional as F

from scripts.gguf_file import PAD
from scripts.train_starter.language_model.batches import Batch, batches
from scripts.train_starter.language_model.model import LanguageModel, ModelConfig
from scripts.train_starter.language_model.tokenizer import token_id
from scripts.train_starter.precision import mixed_precision

_MATRIX_RATE = 0.006
_OTHER_RATE = 1.5e-3
_TUNING_RATE = 6e-4
_WARM_UP_STEPS = 20
_AVERAGE_STEPS = 50  # that the exported weights are averaged over, more or less
_CONSTANT_PART = 0.35  # of the time, before the rate falls in a line to zero
_GRADIENT_NORM = 1.0
_FEWEST_SINGLE_TURNS = 0.3
_REPORT_SECONDS = 20.0
_CHECKPOINT_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """`seconds` is the time to train in all, what a resumed checkpoint has taken included.

    `tuning`: the model was trained before. It learns at a lower rate, by AdamW alone, and need not
    be given the questions of one turn first.
    """

    seconds: float
    tokens_per_batch: int
    device: str
    checkpoint: Path
    seed: int = 0
    tuning: bool = False


@dataclass(slots=True)
class Progress:
    """What has been done so far; `loss` is a running mean over some twenty steps."""

    seconds: float = 0.0
    steps: int = 0
    tokens: int = 0
    loss: float = field(default=float("nan"))

    def add(self, tokens: int, loss: float) -> None:
        self.steps += 1
        self.tokens += tokens
        self.loss = loss if self.steps == 1 else 0.95 * self.loss + 0.05 * loss


class Trainer:
    """Muon for the matrices, AdamW for embedding and norms, and for all of a model that is tuned.

    `average` is the model to export: the running mean of the weights, which is better than the
    weights of any one step.
    """

    def __init__(self, config: TrainingConfig, model: LanguageModel) -> None:
        self._config = config
        self._model = model.to(config.device)
        named = list(model.named_parameters())
        matrices = [p for name, p in named if p.ndim == 2 and not name.startswith("embedding")]
        others = [p for name, p in named if p.ndim < 2 or name.startswith("embedding")]
        self._optimizers = (
            [_adam(matrices, _TUNING_RATE), _adam(others, _TUNING_RATE)]
            if config.tuning
            else [_muon(matrices), _adam(others, _OTHER_RATE)]
        )
        self.average = copy.deepcopy(self._model).requires_grad_(False)
        self.progress = Progress()

    def run(self, tokenizer: Tokenizer, export: Callable[[], None]) -> None:
        """Trains until the time is over, with a line of progress now and then.

        `export` is called after every checkpoint and at the end.
        """
        source = self._batches(tokenizer)
        started = time.monotonic() - self.progress.seconds
        reported = saved = self.progress.seconds
        while self.progress.seconds < self._config.seconds:
            self._step(next(source))
            self.progress.seconds = time.monotonic() - started
            if self.progress.seconds - reported > _REPORT_SECONDS:
                reported = self.progress.seconds
                self._report()
            if self.progress.seconds - saved > _CHECKPOINT_SECONDS:
                saved = self.progress.seconds
                self.save()
                export()
        self.save()
        export()

    def save(self) -> None:
        """Writes the checkpoint, so that a stop in the middle leaves the one before."""
        state = {
            "model": self._model.state_dict(),
            "average": self.average.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer, _ in self._optimizers],
            "progress": self.progress,
        }
        partial = self._config.checkpoint.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(self._config.checkpoint)

    def resume(self) -> None:
        """Takes up the checkpoint; the dialogues that follow are new ones."""
        path = self._config.checkpoint
        # Our own file: it holds `Progress`, which weights_only would refuse.
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=False)
        self._model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        for (optimizer, _), saved in zip(self._optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.progress = state["progress"]

    def _batches(self, tokenizer: Tokenizer) -> Iterator[Batch]:
        rng = random.Random(f"{self._config.seed} {self.progress.steps}")
        padding = token_id(tokenizer, PAD)
        per_batch = self._config.tokens_per_batch
        return batches(tokenizer, rng, per_batch, padding, self._single_turns_now)

    def _single_turns_now(self) -> float:
        """The share of dialogues of one turn: most at first, which teaches to look up words."""
        if self._config.tuning:
            return _FEWEST_SINGLE_TURNS
        done = self.progress.seconds / self._config.seconds
        return max(_FEWEST_SINGLE_TURNS, 1.0 - 1.5 * done)

    def _step(self, batch: Batch) -> None:
        for optimizer, rate in self._optimizers:
            optimizer.param_groups[0]["lr"] = rate * self._rate_now()
        loss = self._loss(batch)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self._model.parameters(), _GRADIENT_NORM)
        for optimizer, _ in self._optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self._add_to_average()
        self.progress.add(batch.ids.numel(), loss.item())

    @torch.no_grad()
    def _add_to_average(self) -> None:
        """Moves the averaged weights towards the present ones, early on in full."""
        share = max(1 / _AVERAGE_STEPS, 1 / (1 + self.progress.steps))
        pairs = zip(self.average.parameters(), self._model.parameters(), strict=True)
        for average, weight in pairs:
            average.lerp_(weight, share)

    def _rate_now(self) -> float:
        """The share of the full learning rate: a short rise, a plateau, a fall to zero."""
        done = min(1.0, self.progress.seconds / self._config.seconds)
        fall = min(1.0, (1.0 - done) / (1.0 - _CONSTANT_PART))
        return min(1.0, (self.progress.steps + 1) / _WARM_UP_STEPS) * fall

    def _loss(self, batch: Batch) -> Tensor:
        """Mean cross-entropy of the answers' tokens."""
        device = self._config.device
        targets = batch.targets.to(device)
        with mixed_precision(device):
            hidden = self._model(batch.ids.to(device))[targets]
            logits = self._model.logits(hidden)
        return F.cross_entropy(logits.float(), batch.next_ids.to(device)[targets])

    def _report(self) -> None:
        now = self.progress
        print(
            f"{now.seconds:6.0f} s of {self._config.seconds:.0f}  step {now.steps}"
            f"  {now.tokens / 1e6:.2f} M tokens ({now.tokens / now.seconds:.0f}/s)"
            f"  loss {now.loss:.4f}",
            flush=True,
        )


def _muon(matrices: list[nn.Parameter]) -> tuple[torch.optim.Optimizer, float]:
    return torch.optim.Muon(matrices, lr=_MATRIX_RATE, weight_decay=0.01), _MATRIX_RATE


def _adam(parameters: list[nn.Parameter], rate: float) -> tuple[torch.optim.Optimizer, float]:
    return torch.optim.AdamW(parameters, lr=rate, betas=(0.9, 0.98), weight_decay=0.0), rate


def new_model(config: ModelConfig, seed: int) -> LanguageModel:
    """A model with random weights."""
    torch.manual_seed(seed)
    return LanguageModel(config)
