"""One step of decoding beside another way to do it, on one context each, in turns.

Unified against split KV cache, and tokens picked by us against samplers that llama.cpp runs where
the model is. All sequences hold a chat; some of them are answered.
"""

import ctypes
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from llama_cpp import llama_cpp as lib

from benchmarks.results import Percentiles, percentiles_of_seconds
from engines.llm.context import Batch, Context, Sampler
from engines.llm.llama import Model
from evaluation.tables import markdown

_CHUNK = 256
_WARM_STEPS = 2


@dataclass(frozen=True, slots=True)
class Way:
    """How a context is made."""

    unified: bool
    picks_itself: bool  # by samplers of the backend

    def __str__(self) -> str:
        sampler = "backend" if self.picks_itself else "our"
        return f"{'unified' if self.unified else 'split'}, {sampler} sampler"


@dataclass(frozen=True, slots=True)
class Step:
    """Of a way, with so many answers in the making. ms until all next tokens are known."""

    model: str
    way: Way
    active: int
    found: Percentiles


WAYS = tuple(Way(unified, picks) for unified, picks in product((True, False), (False, True)))


def measure(
    name: str,
    path: Path,
    *,
    gpu_layers: int,
    threads: int,
    sequences: int,
    tokens: int,
    active: Sequence[int],
    steps: int,
) -> list[Step]:
    """`sequences` chats of `tokens` tokens; `steps` of each way at each number of answers."""
    model = Model(path, gpu_layers=gpu_layers)
    room = tokens + len(active) * (steps + _WARM_STEPS)
    decoders = [
        _Decoder(model, way, sequences=sequences, tokens=tokens, room=room, threads=threads)
        for way in WAYS
    ]
    found: list[Step] = []
    for count in active:
        for decoder in decoders:
            for _ in range(_WARM_STEPS):
                decoder.step(count)
        seconds = [[decoder.step(count) for decoder in decoders] for _ in range(steps)]
        for decoder, column in zip(decoders, zip(*seconds, strict=True), strict=True):
            found.append(Step(name, decoder.way, count, percentiles_of_seconds(column)))
    return found


def table(steps: Sequence[Step]) -> str:
    """Markdown: a row a model and number of answers; P50 / P95 of each way, and its P50 beside ours
    now."""
    ways = list(dict.fromkeys(step.way for step in steps))
    return markdown(["model", "answers at once", *map(str, ways)], _rows(steps, ways))


def _rows(steps: Sequence[Step], ways: Sequence[Way]) -> Iterator[list[str]]:
    cells = {(step.model, step.active, step.way): step.found for step in steps}
    for model, active in dict.fromkeys((step.model, step.active) for step in steps):
        found = [cells[model, active, way] for way in ways]
        yield [model, str(active), *(f"{one} ({one.p50 / found[0].p50:.2f})" for one in found)]


class _Context(Context):
    """Made in the way that is measured."""

    def __init__(self, way: Way, model: Model, **sizes: int) -> None:
        self._way = way
        super().__init__(model, **sizes)

    def _parameters(self, tokens: int, sequences: int, batch_tokens: int, threads: int) -> Any:
        parameters = super()._parameters(tokens, sequences, batch_tokens, threads)
        parameters.kv_unified = self._way.unified
        if self._way.picks_itself:
            self._samplers = (lib.llama_sampler_seq_config * sequences)()
            for sequence, config in enumerate(self._samplers):
                config.seq_id, config.sampler = sequence, _greedy_chain()
            parameters.samplers = ctypes.cast(
                self._samplers, ctypes.POINTER(lib.llama_sampler_seq_config)
            )
            parameters.n_samplers = sequences
        return parameters

    def pick(self, sampler: Sampler, index: int) -> int:
        """The token to follow the batch's token at `index`."""
        if self._way.picks_itself:
            return int(lib.llama_get_sampled_token_ith(self.pointer, index))
        return sampler.pick(self, index)


def _greedy_chain() -> Any:
    """It lives as long as the process, since the context may use it to its end."""
    chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
    lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_greedy())
    return ctypes.cast(chain, ctypes.c_void_p)


class _Decoder:
    """A context whose sequences all hold a chat of random tokens."""

    def __init__(
        self, model: Model, way: Way, *, sequences: int, tokens: int, room: int, threads: int
    ) -> None:
        self.way = way
        self._model = model
        self._context = _Context(
            way,
            model,
            tokens=sequences * room,
            sequences=sequences,
            batch_tokens=max(sequences, _CHUNK),
            threads=threads,
        )
        self._batch = Batch(max(sequences, _CHUNK))
        self._sampler = Sampler(temperature=0.0, top_k=1, top_p=1.0, seed=0)
        self._lengths = [0] * sequences
        self.tokens = [0] * sequences  # of each sequence, the next to decode
        for sequence in range(sequences):
            self._fill(sequence, tokens)

    def step(self, count: int) -> float:
        """Decode and pick a token of the first `count` sequences; how many seconds it took."""
        started = time.perf_counter()
        self._batch.clear()
        outputs = [
            self._batch.add([self.tokens[n]], sequence=n, position=self._lengths[n], output=True)
            for n in range(count)
        ]
        self._context.decode(self._batch)
        for sequence, output in enumerate(outputs):
            self.tokens[sequence] = self._context.pick(self._sampler, output)
            self._lengths[sequence] += 1
        return time.perf_counter() - started

    def _fill(self, sequence: int, tokens: int) -> None:
        generator = np.random.default_rng(sequence)
        prompt = generator.integers(0, self._model.vocabulary.size, tokens)
        for start in range(0, tokens, _CHUNK):
            self._batch.clear()
            chunk = [int(token) for token in prompt[start : start + _CHUNK]]
            self._batch.add(chunk, sequence=sequence, position=start, output=True)
            self._context.decode(self._batch)
        self._lengths[sequence] = tokens
        self.tokens[sequence] = int(prompt[0])
