"""Who waits, who runs: the thread's side, and what it asks of a model."""

import bisect
import heapq
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, Protocol, TypeAlias

from engines.batcher.job import Job, OutputT, RequestT
from engines.errors import EngineError, Overloaded

log = logging.getLogger(__name__)

Emitted: TypeAlias = Sequence[tuple[Job[RequestT, OutputT], Sequence[OutputT]]]
Ended: TypeAlias = Sequence[Job[RequestT, OutputT]]


class Engine(Protocol):
    """What a model must offer. Every method is called on the batcher's thread, and only there."""

    max_batch: int  # most jobs in one step

    def load(self) -> None:
        """Load and warm the model. Raises `ModelError` naming the file and what mends it."""

    def start(self, job: Job[Any, Any]) -> bool:
        """Take a slot. False: no room now, ask again after the next step. Raise to refuse.

        A job that is turned away or refused holds no slot, and `stop` is not called for it.
        """

    def step(self, jobs: Sequence[Job[Any, Any]]) -> None:
        """Advance jobs, the most urgent first: `emit()`, `finish()` or `fail()` on each.

        What it raises ends all of them; what is wrong with one alone goes to that job's `fail`.
        """

    def stop(self, job: Job[Any, Any]) -> None:
        """Give the slot back. Called exactly once for every started job."""

    def assert_idle(self) -> None:
        """Raise `AssertionError` if a slot is taken. Called whenever no job is left."""


class Scheduler(Generic[RequestT, OutputT]):
    """The jobs of one engine, between two steps of it.

    `on_emitted` is told what a step put out, `on_ended` whose slot or place in the line is free
    again and, where one error ended them all, that error. A job that failed alone holds its own.
    """

    def __init__(
        self,
        name: str,
        engine: Engine,
        on_emitted: Callable[[Emitted[RequestT, OutputT]], None],
        on_ended: Callable[[Ended[RequestT, OutputT], Exception | None], None],
    ) -> None:
        self.batch_sizes: dict[int, int] = {}  # how many steps had how many jobs
        self._name = name
        self._engine = engine
        self._on_emitted = on_emitted
        self._on_ended = on_ended
        self._waiting: list[Job[RequestT, OutputT]] = []  # a heap
        self._running: list[Job[RequestT, OutputT]] = []  # the most urgent first

    @property
    def is_idle(self) -> bool:
        """Whether no job is left."""
        return not (self._waiting or self._running)

    def add(self, jobs: Iterable[Job[RequestT, OutputT]]) -> None:
        """To the line."""
        for job in jobs:
            heapq.heappush(self._waiting, job)

    def drop_cancelled(self) -> None:
        """Out of the line and the batch."""
        self._end([job for job in self._waiting + self._running if job.cancelled])

    def admit(self) -> None:
        """As many as the engine has room for, the most urgent first."""
        while self._waiting and len(self._running) < self._engine.max_batch:
            job = self._waiting[0]
            try:
                admitted = self._engine.start(job)
            except Exception as error:
                self._end([job], error)
                continue
            if admitted:
                heapq.heappop(self._waiting)
                bisect.insort(self._running, job)
            elif self._running:
                return
            else:  # nothing will ever free the room that it waits for
                self._end([job], Overloaded(f"{self._name} has no room for this request."))

    def step(self) -> None:
        """All that run, once."""
        if not self._running:
            return
        size = len(self._running)
        self.batch_sizes[size] = self.batch_sizes.get(size, 0) + 1
        try:
            self._engine.step(tuple(self._running))
        except Exception as error:
            self._end_batch(error)
            return
        emitted = [(job, job.take_emitted()) for job in self._running if job.emitted]
        if emitted:
            self._on_emitted(emitted)
        self._end([job for job in self._running if job.finished])

    def end_all(self, error: EngineError) -> None:
        """Leave none behind."""
        self._end(self._waiting + self._running, error)

    def _end_batch(self, error: Exception) -> None:
        log.error("%s failed on a batch of %d", self._name, len(self._running), exc_info=error)
        for job in self._running:
            job.context.run(log.error, "%s: this job was in the batch", self._name)
        self._end(list(self._running), error)

    def _end(self, jobs: list[Job[RequestT, OutputT]], error: Exception | None = None) -> None:
        """Take jobs out of the line or the batch and free their slots."""
        if not jobs:
            return
        for job in jobs:
            if job.error is not None and not isinstance(job.error, EngineError):
                job.context.run(log.error, "%s failed on a job", self._name, exc_info=job.error)
            if job in self._running:
                self._running.remove(job)
                self._engine.stop(job)
            else:
                self._waiting.remove(job)
        heapq.heapify(self._waiting)
        self._on_ended(jobs, error)
