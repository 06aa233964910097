"""The mirror of the KV cache against a context that only remembers, in any order of requests."""

from collections.abc import Sequence
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.llm.context import Context
from engines.llm.kv_cache import KvCache, KvSequence

CELLS = 40
SEQUENCES = 3


class RememberingContext:
    """Holds tokens as llama.cpp's unified cache does, without a model."""

    def __init__(self, *, rolls_back: bool) -> None:
        self.cells = CELLS
        self.held: dict[int, list[int]] = {index: [] for index in range(SEQUENCES)}
        self._rolls_back = rolls_back

    def truncate(self, sequence: int, length: int) -> bool:
        if self._rolls_back:
            del self.held[sequence][length:]
        return self._rolls_back

    def clear(self, sequence: int) -> None:
        self.held[sequence] = []

    def copy(self, source: int, target: int, length: int) -> None:
        assert not self.held[target]
        self.held[target] = self.held[source][:length]

    def length(self, sequence: int) -> int:
        return len(self.held[sequence])


def make(*, rolls_back: bool = True) -> tuple[KvCache, RememberingContext]:
    context = RememberingContext(rolls_back=rolls_back)
    cache = KvCache(cast("Context", context), sequences=SEQUENCES, shares_prefixes=rolls_back)
    return cache, context


def decode(
    cache: KvCache, context: RememberingContext, sequence: KvSequence, tokens: Sequence[int]
) -> None:
    context.held[sequence.id].extend(tokens)
    cache.extend(sequence, tokens)


def run(cache: KvCache, context: RememberingContext, session: str, tokens: list[int]) -> KvSequence:
    """One request to its end, with one token of an answer."""
    sequence = cache.acquire(session, tokens, reusable=len(tokens) - 1, extra=1, evict=True)
    assert sequence is not None
    decode(cache, context, sequence, [*tokens[len(sequence.tokens) :], 0])
    cache.release(sequence)
    return sequence


def go_on(
    cache: KvCache, context: RememberingContext, sequence: KvSequence, rest: list[int], action: str
) -> list[tuple[KvSequence, list[int]]]:
    """Advance or end a busy sequence. It and what it has yet to decode, if it is not over."""
    if action == "grow":
        longer = cache.promise(sequence, 2, evict=True)
        return [(sequence, [*rest, 7, 8] if longer else rest)]
    if action == "decode":
        decode(cache, context, sequence, rest[:4])
        return [(sequence, rest[4:])]
    cache.release(sequence, intact=action == "end")
    return []


requests = st.tuples(
    st.sampled_from(["begin", "begin", "guess", "grow", "decode", "end", "fail", "forget"]),
    st.sampled_from(["a", "b", "c", "d"]),
    st.lists(st.integers(1, 2), min_size=1, max_size=14),
)


@given(st.booleans(), st.lists(requests, max_size=40))
def test_the_mirror_is_exact_and_no_promise_is_broken(
    rolls_back: bool, steps: list[tuple[str, str, list[int]]]
) -> None:
    cache, context = make(rolls_back=rolls_back)
    busy: list[tuple[KvSequence, list[int]]] = []  # and what each has yet to decode
    for action, session, tokens in steps:
        evictions = cache.evictions
        if action in ("begin", "guess"):
            evict = action == "begin"
            sequence = cache.acquire(
                session, tokens, reusable=len(tokens) - 1, extra=3, evict=evict
            )
            assert evict or cache.evictions == evictions
            if sequence is not None:
                assert tokens[: len(sequence.tokens)] == sequence.tokens
                busy.append((sequence, [*tokens[len(sequence.tokens) :], 7, 8, 9]))
        elif action == "forget":
            cache.forget(session)
        elif busy:
            busy += go_on(cache, context, *busy.pop(0), action)
        assert cache.used <= CELLS
        for sequence in cache.sequences:
            assert context.held[sequence.id] == sequence.tokens
    for sequence, rest in busy:
        decode(cache, context, sequence, rest)
        assert cache.used <= CELLS
        cache.release(sequence)
    cache.assert_idle()
    for session in "abcd":
        cache.forget(session)
    assert cache.used == 0


def test_shared_cells_are_counted_once() -> None:
    cache, context = make()
    run(cache, context, "a", [1, 2, 3, 4])
    run(cache, context, "b", [1, 2, 3, 5])
    assert cache.used == 5 + 2
    cache.forget("a")
    assert cache.used == 5


def test_what_an_evicted_session_shared_stays_with_the_other() -> None:
    cache, context = make()
    for session in "abcd":
        sequence = run(cache, context, session, [1, 2, 3])
    assert cache.evictions == 1
    assert cache.find("a") is None
    assert sequence.tokens == [1, 2, 3, 0]
    assert cache.used == 2 + 3 * 2  # the last token of a prompt is decoded by each


def test_nothing_is_evicted_when_that_would_not_be_enough() -> None:
    cache, context = make()
    run(cache, context, "idle", [1] * 5)
    assert cache.acquire("busy", [2] * 10, reusable=9, extra=20, evict=True) is not None
    assert cache.acquire("late", [3] * 10, reusable=9, extra=20, evict=True) is None
    assert cache.find("idle") is not None
    assert cache.evictions == 0


def test_a_model_that_cannot_roll_back_begins_again() -> None:
    cache, context = make(rolls_back=False)
    run(cache, context, "a", [1, 2, 3])
    same = cache.acquire("a", [1, 2, 3, 0, 4], reusable=4, extra=1, evict=True)
    assert same is not None
    assert same.tokens == [1, 2, 3, 0]
    cache.release(same)
    other = cache.acquire("a", [1, 2, 4], reusable=2, extra=1, evict=True)
    assert other is not None
    assert other.tokens == []


def test_every_cell_is_looked_at_once_a_second_and_busy_sequences_always(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("engines.llm.kv_cache.AUDIT_SECONDS", 1.0)
    seconds = [5.0]
    context = RememberingContext(rolls_back=True)
    cache = KvCache(cast("Context", context), sequences=SEQUENCES, now=lambda: seconds[-1])
    run(cache, context, "a", [1, 2, 3])
    cache.assert_idle()
    context.held[0].append(9)  # a token that the mirror does not know of
    seconds.append(5.9)
    cache.assert_idle()
    seconds.append(6.0)
    with pytest.raises(AssertionError, match="5 tokens, not 4"):
        cache.assert_idle()
    assert cache.acquire("b", [1], reusable=0, extra=1, evict=True) is not None
    with pytest.raises(AssertionError, match="still taken"):
        cache.assert_idle()
