"""Examples from the shards of one process into batches of similar length, without end."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

from scripts.train_starter.stt.batching import PAD_FRAMES, Example
from scripts.train_starter.stt.data import read_shard, shard_paths

BUCKET_EXAMPLES = 480  # drawn at once, sorted by length, cut into batches


class Feed:
    """The part of the corpus that process `rank` of `world` learns from.

    Shards are taken as they are finished; at first only the plain ones (see `voices.py`).
    """

    def __init__(self, folder: Path, rank: int, world: int, frames_per_batch: int) -> None:
        self._folder, self._rank, self._world = folder, rank, world
        self._frames_per_batch = frames_per_batch
        self._read: set[Path] = set()
        self._examples: list[Example] = []
        self.plain_only = True

    def batches(self, rng: random.Random) -> Iterator[list[Example]]:
        """Batches of about `frames_per_batch` encoder frames with their padding."""
        while True:
            self._take_new_shards()
            drawn = rng.choices(self._examples, k=BUCKET_EXAMPLES)
            batches = list(self._cut(sorted(drawn, key=lambda e: e.num_frames, reverse=True)))
            rng.shuffle(batches)
            yield from batches

    def _cut(self, examples: list[Example]) -> Iterator[list[Example]]:
        while examples:
            longest = examples[0].num_frames + PAD_FRAMES
            count = max(1, self._frames_per_batch // longest)
            yield examples[:count]
            examples = examples[count:]

    def _take_new_shards(self) -> None:
        while True:
            for path in filter(self._is_wanted, shard_paths(self._folder)):
                self._read.add(path)
                self._examples.extend(read_shard(path))
            if self._examples:
                return
            time.sleep(1)

    def _is_wanted(self, path: Path) -> bool:
        """Not read yet, allowed now, and the part of this process: shards are numbered."""
        number, profile = path.stem.split("-")
        ours = int(number) % self._world == self._rank
        return ours and path not in self._read and not (self.plain_only and profile != "plain")
