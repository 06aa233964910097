"""Who holds which cells of the KV cache, mirrored exactly: room is promised before it is used.

A sequence keeps the tokens of one session's chat from turn to turn. A new prompt keeps the longest
common prefix with them and forgets the rest: reuse over turns, prefill while the caller speaks and
rollback to what was heard are all this one operation. A prompt that has more in common with another
session's sequence (the system prompt, mostly) shares that one's cells instead. When room is short,
the idle session that was used least recently is evicted, one that nobody waits for in real time
before those of callers; that only costs it a longer prefill.
"""

import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from engines.llm.context import Context
from engines.llm.prompt import Memory, common_prefix_length

# Least time between two audits of every cell: a server falls idle many times a second, and the
# next job waits for it (0.9 ms for 10,000 cells).
AUDIT_SECONDS = 1.0


@dataclass(eq=False, slots=True)
class KvSequence:
    """One sequence of the context, and the mirror of what its cache holds."""

    id: int
    session: str | None  # None once a newer request of its session works on a sequence of its own
    tokens: list[int] = field(default_factory=list)
    cells: list[int] = field(default_factory=list)  # which cell holds each token
    busy: bool = False
    offline: bool = False  # nobody waits for its session in real time
    reserved: int = 0  # cells promised to its job and not used yet
    used_at: int = 0  # order of the last use
    memory: Memory = field(default_factory=Memory)


class KvCache:
    """The sequences of a `Context`. `shares_prefixes`: whether the model can copy a part of one."""

    def __init__(
        self,
        context: Context,
        *,
        sequences: int,
        shares_prefixes: bool = True,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.capacity = context.cells
        self.evictions = 0
        self.sequences: list[KvSequence] = []
        self._context = context
        self._shares_prefixes = shares_prefixes
        self._free_ids = list(range(sequences - 1, -1, -1))
        self._sequence_count = sequences
        self._owners: Counter[int] = Counter()  # cell -> sequences that hold it
        self._new_cells = itertools.count()
        self._clock = itertools.count(1)
        self._now = now
        self._audit_due = now()

    @property
    def used(self) -> int:
        """Cells that hold a token, those shared by several sequences counted once."""
        return len(self._owners)

    def find(self, session: str) -> KvSequence | None:
        """The sequence that holds a session's latest chat."""
        return next((s for s in self.sequences if s.session == session), None)

    def acquire(
        self,
        session: str,
        tokens: list[int],
        *,
        reusable: int,
        extra: int,
        evict: bool,
        offline: bool = False,
    ) -> KvSequence | None:
        """A busy sequence holding as much as it can of the first `reusable` tokens, with room for
        the rest and `extra` more. None if there is no room, for now or without evicting."""
        previous = self.find(session)
        sequence = previous if previous and not previous.busy else self._open(evict=evict)
        if sequence is None:
            return None
        self._fill(sequence, tokens[:reusable])
        need = len(tokens) - len(sequence.tokens) + extra
        if not self._make_room(need, keep=sequence, evict=evict):
            if sequence is not previous:
                self._drop(sequence)
            return None
        if previous is not None:
            previous.session = None
        sequence.session, sequence.offline = session, offline
        sequence.busy, sequence.reserved = True, need
        return sequence

    def promise(self, sequence: KvSequence, count: int, *, evict: bool) -> bool:
        """Keep `count` more cells for a busy sequence. False if there is no room for them."""
        has_room = self._make_room(count, keep=sequence, evict=evict)
        sequence.reserved += count if has_room else 0
        return has_room

    def extend(self, sequence: KvSequence, tokens: Iterable[int]) -> None:
        """The context has decoded `tokens` into a busy sequence."""
        before = len(sequence.tokens)
        sequence.tokens.extend(tokens)
        fresh = list(itertools.islice(self._new_cells, len(sequence.tokens) - before))
        sequence.cells.extend(fresh)
        self._owners.update(fresh)
        sequence.reserved -= len(fresh)

    def release(self, sequence: KvSequence, *, intact: bool = True) -> None:
        """Its job is over. What it holds is kept for the session's next request, if it is intact
        and no newer request has a sequence of its own."""
        sequence.busy, sequence.reserved = False, 0
        sequence.used_at = next(self._clock)
        if sequence.session is None or not intact:
            self._drop(sequence)

    def forget(self, session: str) -> None:
        """Free what a session holds, at once or when its running job is over."""
        sequence = self.find(session)
        if sequence is None:
            return
        sequence.session = None
        if not sequence.busy:
            self._drop(sequence)

    def assert_idle(self) -> None:
        """Raise `AssertionError` if a job holds a sequence, or, where it is time to look, if the
        mirror is not exact."""
        busy = [sequence.session for sequence in self.sequences if sequence.busy]
        assert not busy, f"KV sequences still taken by {busy}"
        ids = [*self._free_ids, *(sequence.id for sequence in self.sequences)]
        assert sorted(ids) == list(range(self._sequence_count)), f"KV sequences leaked: {ids}"
        if self._now() >= self._audit_due:
            self._audit_due = self._now() + AUDIT_SECONDS
            self._audit()

    def _audit(self) -> None:
        for sequence in self.sequences:
            held = self._context.length(sequence.id)
            assert held == len(sequence.tokens), f"{held} tokens, not {len(sequence.tokens)}"
        cells = {cell for sequence in self.sequences for cell in sequence.cells}
        assert cells == self._owners.keys(), "KV cells leaked"

    def _fill(self, sequence: KvSequence, tokens: list[int]) -> None:
        """Let a sequence hold the longest prefix of `tokens` that any sequence holds."""
        own = common_prefix_length(sequence.tokens, tokens)
        source, shared = self._longer_match(tokens, own)
        if source is not None:
            self._clear(sequence)
            self._context.copy(source.id, sequence.id, shared)
            sequence.tokens = source.tokens[:shared]
            sequence.cells = source.cells[:shared]
            self._owners.update(sequence.cells)
        else:
            self._truncate(sequence, own)

    def _longer_match(self, tokens: list[int], length: int) -> tuple[KvSequence | None, int]:
        """The sequence that has most of `tokens` from their beginning, if more than `length`, and
        how many. Most callers' have no more than the system prompt, which one look tells."""
        source = None
        for sequence in self.sequences if self._shares_prefixes else ():
            held = sequence.tokens
            if length < len(tokens) and held[length : length + 1] == [tokens[length]]:
                shared = common_prefix_length(held, tokens)
                if shared > length:
                    source, length = sequence, shared
        return source, length

    def _truncate(self, sequence: KvSequence, length: int) -> None:
        if length == len(sequence.tokens):
            return
        if not self._context.truncate(sequence.id, length):
            self._clear(sequence)  # recurrent and windowed models cannot roll back
            return
        self._disown(sequence.cells[length:])
        del sequence.tokens[length:], sequence.cells[length:]

    def _clear(self, sequence: KvSequence) -> None:
        self._context.clear(sequence.id)
        self._disown(sequence.cells)
        sequence.tokens, sequence.cells = [], []

    def _disown(self, cells: list[int]) -> None:
        for cell in cells:
            self._owners[cell] -= 1
            if not self._owners[cell]:
                del self._owners[cell]

    def _open(self, *, evict: bool) -> KvSequence | None:
        if not self._free_ids and not (evict and self._evict_one(keep=None)):
            return None
        sequence = KvSequence(self._free_ids.pop(), None)
        self.sequences.append(sequence)
        return sequence

    def _drop(self, sequence: KvSequence) -> None:
        self._clear(sequence)
        self.sequences.remove(sequence)
        self._free_ids.append(sequence.id)

    def _make_room(self, need: int, *, keep: KvSequence, evict: bool) -> bool:
        missing = self._missing(need)
        if missing <= 0:
            return True
        if not evict or self._evictable_cells(keep) < missing:
            return False
        while self._missing(need) > 0:
            self._evict_one(keep=keep)
        return True

    def _missing(self, need: int) -> int:
        promised = sum(sequence.reserved for sequence in self.sequences)
        return self.used + promised + need - self.capacity

    def _idle(self, keep: KvSequence | None) -> list[KvSequence]:
        return [s for s in self.sequences if not s.busy and s is not keep]

    def _evictable_cells(self, keep: KvSequence) -> int:
        """Cells that no busy sequence shares."""
        held = Counter(cell for sequence in self._idle(keep) for cell in sequence.cells)
        return sum(count == self._owners[cell] for cell, count in held.items())

    def _evict_one(self, keep: KvSequence | None) -> bool:
        idle = self._idle(keep)
        if not idle:
            return False
        self._drop(min(idle, key=lambda sequence: (not sequence.offline, sequence.used_at)))
        self.evictions += 1
        return True
