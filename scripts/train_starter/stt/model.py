"""Whisper's architecture in PyTorch, with what the training needs beside the text.

CTranslate2 knows Whisper's graph and nothing else, so the layers are Whisper's: pre-norm
transformers, two convolutions before the encoder, an output tied to the token embedding. The
training also reads the attention maps, the encoder's layer before last, and two heads that are
left out of the export.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

MAX_FRAMES, MAX_TOKENS = 1500, 448


@dataclass(frozen=True, slots=True)
class Dimensions:
    """Size of a model."""

    num_tokens: int
    num_phonemes: int
    silence_token: int  # text tokens have the ids below
    width: int = 144
    num_heads: int = 4
    num_encoder_layers: int = 4
    num_decoder_layers: int = 2

    def as_dict(self) -> dict[str, int]:
        """For a checkpoint."""
        return asdict(self)


class DecoderSize(Protocol):
    """What a decoder is told of a model's size."""

    @property
    def num_tokens(self) -> int: ...

    @property
    def width(self) -> int: ...

    @property
    def num_heads(self) -> int: ...

    @property
    def num_decoder_layers(self) -> int: ...


class Attention(nn.Module):
    """Multi-head attention, written out: quicker than the fused one in bfloat16 on a CPU."""

    def __init__(self, width: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.q_proj, self.v_proj = nn.Linear(width, width), nn.Linear(width, width)
        self.k_proj = nn.Linear(width, width, bias=False)
        self.out_proj = nn.Linear(width, width)

    def forward(self, x: Tensor, memory: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        """[B, L, D], [B, M, D], bias [.., L or 1, M] -> [B, L, D] and the map [B, H, L, M]."""
        q, k, v = self._split(self.q_proj(x)), self._split(self.k_proj(memory)), self.v_proj(memory)
        scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
        weights = functional.softmax(scores + bias.to(scores.dtype), -1, dtype=scores.dtype)
        mixed = weights @ self._split(v)
        return self.out_proj(mixed.transpose(1, 2).flatten(2)), weights

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)


class EncoderLayer(nn.Module):
    """Self-attention and a feed-forward block."""

    def __init__(self, width: int, num_heads: int) -> None:
        super().__init__()
        self.self_attn = Attention(width, num_heads)
        self.self_attn_layer_norm = nn.LayerNorm(width)
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.final_layer_norm = nn.LayerNorm(width)

    def attend(self, x: Tensor, bias: Tensor) -> Tensor:
        """The self-attention block."""
        y = self.self_attn_layer_norm(x)
        mixed: Tensor = x + self.self_attn(y, y, bias)[0]
        return mixed

    def feed_forward(self, x: Tensor) -> Tensor:
        """The feed-forward block."""
        mixed: Tensor = x + self.fc2(functional.gelu(self.fc1(self.final_layer_norm(x))))
        return mixed

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """[B, T, D] -> [B, T, D]."""
        return self.feed_forward(self.attend(x, bias))


class DecoderLayer(EncoderLayer):
    """An encoder layer that also looks at what was encoded."""

    def __init__(self, width: int, num_heads: int) -> None:
        super().__init__(width, num_heads)
        self.encoder_attn = Attention(width, num_heads)
        self.encoder_attn_layer_norm = nn.LayerNorm(width)

    def look(self, x: Tensor, sound: Tensor, causal: Tensor, pad: Tensor) -> tuple[Tensor, Tensor]:
        """[B, W, D], [B, T, D] -> [B, W, D] and where the layer looked, [B, H, W, T]."""
        x = self.attend(x, causal)
        seen, weights = self.encoder_attn(self.encoder_attn_layer_norm(x), sound, pad)
        return self.feed_forward(x + seen), weights


class Encoder(nn.Module):
    """Mel spectrogram to sound states."""

    def __init__(self, size: Dimensions) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(80, size.width, 3, padding=1)
        self.conv2 = nn.Conv1d(size.width, size.width, 3, stride=2, padding=1)
        self.register_buffer("embed_positions", sinusoids(MAX_FRAMES, size.width, 0.3))
        self.layers = nn.ModuleList(
            EncoderLayer(size.width, size.num_heads) for _ in range(size.num_encoder_layers)
        )
        self.layer_norm = nn.LayerNorm(size.width)
        for conv in (self.conv1, self.conv2):
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
            nn.init.zeros_(conv.bias)

    def forward(self, mel: Tensor, positions: Tensor, pad: Tensor) -> tuple[Tensor, Tensor]:
        """[B, 80, 2T], [B, T] and pad [B, 1, 1, T] -> final and last but one states [B, T, D]."""
        x = functional.gelu(self.conv2(functional.gelu(self.conv1(mel)))).transpose(1, 2)
        x = x + self.embed_positions[positions]
        before = x
        for layer in self.layers:
            before, x = x, layer(x, pad)
        return self.layer_norm(x), before


class Decoder(nn.Module):
    """Sound states to tokens."""

    def __init__(self, size: DecoderSize) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(size.num_tokens, size.width)
        nn.init.normal_(self.embed_tokens.weight, std=size.width**-0.5)
        self.embed_positions = nn.Parameter(sinusoids(MAX_TOKENS, size.width, 0.1))
        self.layers = nn.ModuleList(
            DecoderLayer(size.width, size.num_heads) for _ in range(size.num_decoder_layers)
        )
        self.layer_norm = nn.LayerNorm(size.width)

    def forward(self, tokens: Tensor, sound: Tensor, pad: Tensor) -> tuple[Tensor, list[Tensor]]:
        """[B, W], [B, T, D] -> logits [B, W, V] and the maps of every layer [B, H, W, T]."""
        width = tokens.shape[1]
        x = self.embed_tokens(tokens) + self.embed_positions[:width]
        causal = torch.full((width, width), -1e4, device=x.device).triu(1)
        maps = []
        for layer in self.layers:
            x, weights = layer.look(x, sound, causal, pad)
            maps.append(weights)
        return self.layer_norm(x) @ self.embed_tokens.weight.T, maps


class Whisper(nn.Module):
    """The model, and the heads that only the training uses."""

    def __init__(self, size: Dimensions) -> None:
        super().__init__()
        self.size = size
        self.encoder, self.decoder = Encoder(size), Decoder(size)
        self.phoneme_head = nn.Linear(size.width, size.num_phonemes)
        self.token_head = nn.Linear(size.width, size.width)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def frame_tokens(self, sound: Tensor) -> Tensor:
        """[B, T, D] -> logits over the text tokens and silence, from the tied embedding."""
        labels = self.decoder.embed_tokens.weight[: self.size.silence_token + 1]
        return self.token_head(sound) @ labels.T


def sinusoids(length: int, width: int, scale: float) -> Tensor:
    """Sinusoidal position embeddings [length, width], as Whisper's but scaled."""
    rates = torch.exp(-math.log(10000) / (width // 2 - 1) * torch.arange(width // 2))
    angles = torch.arange(length)[:, None] * rates[None]
    return scale * torch.cat([angles.sin(), angles.cos()], 1)
