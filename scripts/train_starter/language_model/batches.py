"""Batches of training dialogues, made on the fly and grouped by length."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer
from torch import Tensor

from scripts.train_starter.domain import dialogue
from scripts.train_starter.language_model.chat import Example, encode

LONGEST_TOKENS = 1024
_POOL_DIALOGUES = 512


@dataclass(frozen=True, slots=True)
class Batch:
    """`ids` int64 (batch, time) as input; `next_ids` the same one later; `targets` their mask."""

    ids: Tensor
    next_ids: Tensor
    targets: Tensor


def batches(
    tokenizer: Tokenizer,
    rng: random.Random,
    tokens_per_batch: int,
    padding: int,
    single_turns: Callable[[], float],
) -> Iterator[Batch]:
    """Batches without end, each of dialogues of like length and about `tokens_per_batch`.

    `single_turns` gives the share of dialogues of one turn for the next pool.
    """
    while True:
        pool = sorted(
            _examples(tokenizer, rng, single_turns()), key=lambda example: len(example.ids)
        )
        groups = list(_groups(pool, tokens_per_batch))
        rng.shuffle(groups)
        for group in groups:
            yield _padded(group, padding)


def _examples(tokenizer: Tokenizer, rng: random.Random, single_turns: float) -> Iterator[Example]:
    for _ in range(_POOL_DIALOGUES):
        example = encode(tokenizer, dialogue(rng, single_turns=single_turns))
        if len(example.ids) <= LONGEST_TOKENS:
            yield example


def _groups(pool: list[Example], tokens_per_batch: int) -> Iterator[list[Example]]:
    group: list[Example] = []
    for example in pool:
        if group and (len(group) + 1) * len(example.ids) > tokens_per_batch:
            yield group
            group = []
        group.append(example)
    yield group


def _padded(group: list[Example], padding: int) -> Batch:
    length = max(len(example.ids) for example in group)
    ids = torch.full((len(group), length), padding)
    targets = torch.zeros((len(group), length), dtype=torch.bool)
    for row, example in enumerate(group):
        ids[row, : len(example.ids)] = torch.tensor(example.ids)
        targets[row, : len(example.ids)] = torch.tensor(example.targets)
    return Batch(ids[:, :-1], ids[:, 1:], targets[:, 1:])
