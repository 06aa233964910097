"""A small model of the Llama architecture, in the layout that llama.cpp expects.

RoPE turns interleaved pairs, as llama.cpp's `llama` architecture does, so that the weights are
exported as they are. Embedding and output share their weights.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from scripts.gguf_file import NORM_EPSILON, ROPE_BASE


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """Sizes of the model; `context_tokens` is the longest sequence that it may be given."""

    vocabulary: int = 3072
    width: int = 256
    layers: int = 4
    heads: int = 4
    kv_heads: int = 2
    feed_forward: int = 704
    context_tokens: int = 2048

    @property
    def head_width(self) -> int:
        return self.width // self.heads


class RmsNorm(nn.Module):
    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(config.width))
        self.epsilon = NORM_EPSILON

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, self.weight.shape, self.weight.to(x.dtype), self.epsilon)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """RoPE on interleaved pairs. `x`: (batch, heads, time, head_width); cos, sin: (time, half)."""
    even, odd = x[..., ::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2)


class Attention(nn.Module):
    """Causal attention with grouped keys and values."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        kv_width = config.kv_heads * config.head_width
        self.head_width = config.head_width
        self.q = nn.Linear(config.width, config.width, bias=False)
        self.k = nn.Linear(config.width, kv_width, bias=False)
        self.v = nn.Linear(config.width, kv_width, bias=False)
        self.output = nn.Linear(config.width, config.width, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        q = rotate(self._heads(self.q(x)), cos, sin)
        k = rotate(self._heads(self.k(x)), cos, sin)
        v = self._heads(self.v(x))
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        written: Tensor = self.output(mixed.transpose(1, 2).flatten(2))
        return written

    def _heads(self, x: Tensor) -> Tensor:
        """(batch, time, width) to (batch, heads, time, head_width)."""
        batch, time, width = x.shape
        return x.view(batch, time, width // self.head_width, self.head_width).transpose(1, 2)


class Block(nn.Module):
    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.attention_norm = RmsNorm(config)
        self.attention = Attention(config)
        self.feed_forward_norm = RmsNorm(config)
        self.gate = nn.Linear(config.width, config.feed_forward, bias=False)
        self.up = nn.Linear(config.width, config.feed_forward, bias=False)
        self.down = nn.Linear(config.feed_forward, config.width, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        x = x + self.attention(self.attention_norm(x), cos, sin)
        y = self.feed_forward_norm(x)
        changed: Tensor = x + self.down(F.silu(self.gate(y)) * self.up(y))
        return changed


class LanguageModel(nn.Module):
    """Token ids (batch, time) to hidden states (batch, time, width)."""

    cos: Tensor
    sin: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.embedding = nn.Embedding(config.vocabulary, config.width)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = RmsNorm(config)
        pairs = torch.arange(0, config.head_width, 2) / config.head_width
        angles = torch.arange(config.context_tokens)[:, None] * ROPE_BASE ** -pairs[None]
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)
        self._initialise()

    def forward(self, ids: Tensor) -> Tensor:
        x = self.embedding(ids)
        cos, sin = (table[: ids.shape[1]].to(x.dtype) for table in (self.cos, self.sin))
        for block in self.blocks:
            x = block(x, cos, sin)
        normed: Tensor = self.norm(x)
        return normed

    def logits(self, hidden: Tensor) -> Tensor:
        """Scores of the next token, (..., vocabulary)."""
        return hidden @ self.embedding.weight.T.to(hidden.dtype)

    def _initialise(self) -> None:
        """Normal weights of variance 1/inputs, half as wide where a residual is written."""
        for name, parameter in self.named_parameters():
            if name.startswith("embedding"):
                nn.init.normal_(parameter, std=0.02)
            elif parameter.ndim == 2:
                scale = 0.5 if name.endswith(("output.weight", "down.weight")) else 1.0
                nn.init.normal_(parameter, std=scale * parameter.shape[1] ** -0.5)
