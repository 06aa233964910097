"""What the model is taught: the text, and by eSpeak's alignment also the way to it.

Text: cross-entropy of the decoder. Beside it, per 20 ms frame, the phoneme (from the encoder's
layer before last) and the word being said (from its output), and in four heads of the decoder the
attention that a listener would have: on the frames of the token to come, and of the one before.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from scripts.train_starter.precision import mixed_precision
from scripts.train_starter.stt.batching import IGNORED, Batch
from scripts.train_starter.stt.model import Whisper

PHONEME_WEIGHT, FRAME_TOKEN_WEIGHT, ATTENTION_WEIGHT = 0.5, 0.5, 0.3
FRAME_TOKEN_STRIDE = 3
LABEL_SMOOTHING = 0.02
MIN_MASS = 1e-5  # of attention, before the logarithm


@dataclass(frozen=True, slots=True)
class Losses:
    """Scalars, each a mean."""

    text: Tensor
    phonemes: Tensor
    frame_tokens: Tensor
    attention: Tensor

    def total(self, auxiliary: float) -> Tensor:
        """The loss to minimise; `auxiliary` scales all but the text."""
        aligned = PHONEME_WEIGHT * self.phonemes + FRAME_TOKEN_WEIGHT * self.frame_tokens
        return self.text + auxiliary * (aligned + ATTENTION_WEIGHT * self.attention)

    def stacked(self) -> Tensor:
        """[4], detached, for the log."""
        parts = (self.text, self.phonemes, self.frame_tokens, self.attention)
        return torch.stack([part.detach().float() for part in parts])


def losses(model: Whisper, batch: Batch, device: str) -> Losses:
    """Forward pass of one batch, in bfloat16 where that is quick."""
    mel, positions, tokens, labels = (
        torch.from_numpy(array).to(device, non_blocking=True)
        for array in (batch.mel, batch.positions, batch.tokens, batch.labels)
    )
    pad = torch.from_numpy(batch.pad_weights).to(device).log()[:, None, None, :]
    with mixed_precision(device):
        sound, before = model.encoder(mel, positions, pad)
        logits, maps = model.decoder(tokens, sound, pad)
        phonemes = model.phoneme_head(before).flatten(0, 1)
        # A word lasts many frames: a part of them is enough, at a part of the cost.
        frame_tokens = model.frame_tokens(sound[:, ::FRAME_TOKEN_STRIDE]).flatten(0, 1)
    current = torch.from_numpy(batch.current).to(device)
    previous = torch.from_numpy(batch.previous).to(device)
    guided = ((maps[0][:, 0], current), (maps[0][:, 1], previous))
    guided += ((maps[-1][:, 0], current), (maps[-1][:, 1], current))
    return Losses(
        text=functional.cross_entropy(
            logits.flatten(0, 1).float(),
            labels.flatten(),
            ignore_index=IGNORED,
            label_smoothing=LABEL_SMOOTHING,
        ),
        phonemes=_frame_loss(phonemes, batch.frame_phonemes, device),
        frame_tokens=_frame_loss(frame_tokens, batch.frame_tokens[:, ::FRAME_TOKEN_STRIDE], device),
        attention=torch.stack([guided_attention(*pair) for pair in guided]).sum(),
    )


def _frame_loss(logits: Tensor, labels: object, device: str) -> Tensor:
    flat = torch.as_tensor(labels).to(device).flatten()
    return functional.cross_entropy(logits.float(), flat)


def guided_attention(weights: Tensor, wanted: Tensor) -> Tensor:
    """-log of the attention inside the wanted frames, where there are any. Both [B, W, T]."""
    has_frames = wanted.amax(-1)
    mass = (weights.float() * wanted).sum(-1).clamp_min(MIN_MASS)
    return -(mass.log() * has_frames).sum() / has_frames.sum().clamp_min(1)
