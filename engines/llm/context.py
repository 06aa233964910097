"""Decoding with llama.cpp: batches over many sequences, the KV cache they share, and samplers."""

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np
from llama_cpp import llama_cpp as lib
from numpy.typing import NDArray

from engines.errors import EngineError
from engines.llm.llama import Model, Owned


class Batch:
    """Tokens to decode in one call, in memory of our own: numpy fills it faster than ctypes."""

    def __init__(self, max_tokens: int) -> None:
        self.max_tokens = max_tokens
        self.count = 0
        self._tokens = np.zeros(max_tokens, np.int32)
        self._positions = np.zeros(max_tokens, np.int32)
        self._sequence_counts = np.ones(max_tokens, np.int32)
        self._sequences = np.zeros(max_tokens, np.int32)
        self._outputs = np.zeros(max_tokens, np.int8)
        # Each token belongs to a list of sequences, here of one: a pointer into `_sequences`.
        self._sequence_pointers = (
            self._sequences.ctypes.data + 4 * np.arange(max_tokens, dtype=np.uint64)
        ).astype(np.uint64)
        self._argument = lib.llama_batch(
            token=_pointer_to(self._tokens, ctypes.c_int32),
            embd=None,
            pos=_pointer_to(self._positions, ctypes.c_int32),
            n_seq_id=_pointer_to(self._sequence_counts, ctypes.c_int32),
            seq_id=_pointer_to(self._sequence_pointers, ctypes.POINTER(ctypes.c_int32)),
            logits=_pointer_to(self._outputs, ctypes.c_int8),
        )

    def clear(self) -> None:
        self.count = 0

    def add(self, tokens: Sequence[int], *, sequence: int, position: int, output: bool) -> int:
        """Append tokens of a sequence from `position` on. Returns the index of the last one, whose
        logits are computed if `output`."""
        begin, end = self.count, self.count + len(tokens)
        self._tokens[begin:end] = tokens
        self._positions[begin:end] = np.arange(position, position + len(tokens))
        self._sequences[begin:end] = sequence
        self._outputs[begin:end] = 0
        self._outputs[end - 1] = output
        self.count = end
        return end - 1

    def as_argument(self) -> Any:
        """The structure that llama_decode takes; valid until the batch changes."""
        self._argument.n_tokens = self.count
        return self._argument


class Context:
    """A KV cache shared by `sequences` sequences, and the decoding into it."""

    def __init__(
        self, model: Model, *, tokens: int, sequences: int, batch_tokens: int, threads: int
    ) -> None:
        parameters = self._parameters(tokens, sequences, batch_tokens, threads)
        self.model = model
        self.pointer: Any = lib.llama_init_from_model(model.pointer, parameters)
        if not self.pointer:
            raise EngineError(
                f"llama.cpp could not make a context of {tokens} tokens: is there memory for it?"
            )
        self._owned = Owned(self.pointer, lib.llama_free, needs=model)
        self._memory: Any = lib.llama_get_memory(self.pointer)
        self.cells = int(lib.llama_n_ctx(self.pointer))

    def _parameters(self, tokens: int, sequences: int, batch_tokens: int, threads: int) -> Any:
        """What llama.cpp is asked for."""
        parameters = lib.llama_context_default_params()
        parameters.n_ctx = tokens
        parameters.n_seq_max = sequences
        parameters.n_batch = parameters.n_ubatch = batch_tokens
        parameters.n_threads = parameters.n_threads_batch = threads
        parameters.kv_unified = True  # sequences share cells: prefixes cost nothing to copy
        parameters.no_perf = True
        return parameters

    def decode(self, batch: Batch) -> None:
        """Run the model over a batch. On an error, what its sequences hold is undefined."""
        status = int(lib.llama_decode(self.pointer, batch.as_argument()))
        if status != 0:
            raise EngineError(f"llama_decode failed with status {status}.")

    def logits(self, index: int) -> NDArray[np.float32]:
        """float32[vocabulary] of the batch's token at `index`; valid until the next decode."""
        pointer = lib.llama_get_logits_ith(self.pointer, index)
        return np.ctypeslib.as_array(pointer, shape=(self.model.vocabulary.size,))

    def truncate(self, sequence: int, length: int) -> bool:
        """Forget a sequence's tokens from `length` on. False: the model cannot, nothing is done."""
        return bool(lib.llama_memory_seq_rm(self._memory, sequence, length, -1))

    def clear(self, sequence: int) -> None:
        """Forget all tokens of a sequence."""
        lib.llama_memory_seq_rm(self._memory, sequence, -1, -1)

    def copy(self, source: int, target: int, length: int) -> None:
        """Let an empty sequence share the first `length` tokens of another."""
        lib.llama_memory_seq_cp(self._memory, source, target, 0, length)

    def length(self, sequence: int) -> int:
        """How many tokens llama.cpp holds of a sequence."""
        return int(lib.llama_memory_seq_pos_max(self._memory, sequence)) + 1


class Sampler:
    """Picks the next token: at temperature 0 the likeliest, else by top-k, top-p and chance."""

    def __init__(self, *, temperature: float, top_k: int, top_p: float, seed: int) -> None:
        self._chain: Any = None
        if temperature > 0:
            self._chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
            self._owned = Owned(self._chain, lib.llama_sampler_free)
            for link in (
                lib.llama_sampler_init_top_k(top_k),
                lib.llama_sampler_init_top_p(top_p, 1),
                lib.llama_sampler_init_temp(temperature),
                lib.llama_sampler_init_dist(seed & 0xFFFFFFFF),
            ):
                lib.llama_sampler_chain_add(self._chain, link)

    def pick(self, context: Context, index: int) -> int:
        """The token to follow the batch's token at `index`."""
        if self._chain is None:  # argmax takes a tenth of the time of llama.cpp's greedy sampler
            return int(np.argmax(context.logits(index)))
        return int(lib.llama_sampler_sample(self._chain, context.pointer, index))


def _pointer_to(array: NDArray[Any], kind: Any) -> Any:
    return ctypes.cast(array.ctypes.data, ctypes.POINTER(kind))
