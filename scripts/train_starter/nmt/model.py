"""A transformer from text to text: the layers of the starter recognizer, on tokens at both ends."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from scripts.train_starter.stt.model import Decoder, EncoderLayer, sinusoids

MAX_TOKENS = 448  # of a source


@dataclass(frozen=True, slots=True)
class Size:
    """Size of a model."""

    num_tokens: int
    width: int = 160
    num_heads: int = 4
    num_encoder_layers: int = 3
    num_decoder_layers: int = 2


class Translator(nn.Module):
    """Source and target share their embedding, which is tied to the output."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.size = size
        self.decoder = Decoder(size)
        self.encoder = Encoder(size)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, source: Tensor, pad: Tensor, target: Tensor) -> Tensor:
        """[B, S], pad [B, 1, 1, S], [B, T] -> logits [B, T, V]."""
        memory = self.encoder(self.decoder.embed_tokens(source), pad)
        logits: Tensor = self.decoder(target, memory, pad)[0]
        return logits


class Encoder(nn.Module):
    """Embedded tokens to states."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.register_buffer("embed_positions", sinusoids(MAX_TOKENS, size.width, 0.1))
        self.layers = nn.ModuleList(
            EncoderLayer(size.width, size.num_heads) for _ in range(size.num_encoder_layers)
        )
        self.layer_norm = nn.LayerNorm(size.width)

    def forward(self, x: Tensor, pad: Tensor) -> Tensor:
        """[B, S, D], pad [B, 1, 1, S] -> [B, S, D]."""
        x = x + self.embed_positions[: x.shape[1]]
        for layer in self.layers:
            x = layer(x, pad)
        normed: Tensor = self.layer_norm(x)
        return normed
