"""The acoustic model: phoneme ids to durations and, frame by frame, the vocoder's features.

ConvNeXt blocks (Liu et al. 2022) over phonemes, a length regulator as in FastSpeech (Ren et al.
2019), ConvNeXt blocks over frames. Shapes: B sentences, T phonemes, L frames, D channels.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from scripts.train_starter.tts.features import NUM_BANDS, NUM_FEATURES

NUM_SYMBOLS = 256
CHANNELS, HIDDEN_CHANNELS = 128, 384
NUM_ENCODER_BLOCKS, NUM_DECODER_BLOCKS = 4, 6
KERNEL = 9
_LONG_PHONEME_FRAMES = 20.0

VOICED = NUM_BANDS + 1  # the feature that is a logit here
PITCH = NUM_BANDS


class Block(nn.Module):
    """Depthwise convolution in time, then two layers on each step: [B, T, D] -> [B, T, D]."""

    def __init__(self) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(CHANNELS, CHANNELS, KERNEL, padding=KERNEL // 2, groups=CHANNELS)
        self.norm = nn.LayerNorm(CHANNELS)
        self.widen = nn.Linear(CHANNELS, HIDDEN_CHANNELS)
        self.narrow = nn.Linear(HIDDEN_CHANNELS, CHANNELS)
        self.scale = nn.Parameter(torch.full((CHANNELS,), 0.3))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """`mask` is [B, T, 1], 1 where there is something."""
        mixed = self.depthwise((x * mask).transpose(1, 2)).transpose(1, 2)
        changed = self.narrow(F.gelu(self.widen(self.norm(mixed))))
        return (x + changed * self.scale) * mask


class AcousticModel(nn.Module):
    """Five speakers, one per language; features come out normalised by `mean` and `deviation`."""

    def __init__(self, num_speakers: int) -> None:
        super().__init__()
        self.symbols = nn.Embedding(NUM_SYMBOLS, CHANNELS)
        self.speakers = nn.Embedding(num_speakers, CHANNELS)
        self.encoder = nn.ModuleList(Block() for _ in range(NUM_ENCODER_BLOCKS))
        self.decoder = nn.ModuleList(Block() for _ in range(NUM_DECODER_BLOCKS))
        self.durations = nn.Sequential(
            nn.Linear(CHANNELS, CHANNELS), nn.GELU(), nn.Linear(CHANNELS, 1)
        )
        self.position = nn.Linear(3, CHANNELS)
        self.features = nn.Linear(CHANNELS, NUM_FEATURES)
        self.register_buffer("mean", torch.zeros(NUM_FEATURES))
        self.register_buffer("deviation", torch.ones(NUM_FEATURES))

    def encode(self, ids: Tensor, mask: Tensor, speakers: Tensor) -> tuple[Tensor, Tensor]:
        """ids [B, T] -> what each phoneme is in its place [B, T, D], log(1 + frames) [B, T]."""
        x = (self.symbols(ids) + self.speakers(speakers)[:, None]) * mask
        for block in self.encoder:
            x = block(x, mask)
        return x, self.durations(x).squeeze(-1)

    def regulate(self, x: Tensor, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Each phoneme repeated for its frames [B, T] -> [B, L, D], mask [B, L, 1].

        A frame also learns how far from its phoneme's begin and end it is, and how long that lasts.
        """
        ends = torch.cumsum(frames, 1)
        num_frames = torch.clamp(ends[:, -1].max(), min=1).long()
        times = torch.arange(num_frames, device=x.device, dtype=frames.dtype)[None]
        ended = (times.unsqueeze(-1) >= ends.unsqueeze(1)).to(x.dtype)  # [B, L, T]
        owners = torch.clamp(ended.sum(-1).long(), max=x.shape[1] - 1)
        repeated = torch.gather(x, 1, owners.unsqueeze(-1).expand(-1, -1, x.shape[2]))
        length = torch.gather(frames, 1, owners)
        since_begin = times - (torch.gather(ends, 1, owners) - length) + 0.5
        passed = since_begin / torch.clamp(length, min=1)
        place = torch.stack([passed, 1 - passed, length / _LONG_PHONEME_FRAMES], -1)
        mask = (times < ends[:, -1:]).to(x.dtype).unsqueeze(-1)
        return repeated + self.position(place), mask

    def decode(self, x: Tensor, mask: Tensor, speakers: Tensor) -> Tensor:
        """[B, L, D] -> normalised features [B, L, NUM_FEATURES]."""
        x = x + self.speakers(speakers)[:, None]
        for block in self.decoder:
            x = block(x, mask)
        return self.features(x)
