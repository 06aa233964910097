"""One thread owns one model.

Callers on the event loop submit jobs and read their outputs. The thread admits as many jobs as
the engine has room for, steps them together, and posts what they emitted back to the loop, once
per step. There is no batching delay: a batch is what queued while the last step ran.

STT, LLM, TTS and VAD differ only in their `Engine`: an STT or VAD job ends after one step, an LLM
job takes one step per token, a TTS job one step per chunk of audio, and new jobs join between
steps.
"""

import asyncio
import bisect
import contextlib
import contextvars
import heapq
import itertools
import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from enum import IntEnum
from functools import partial
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar

from engines.errors import EngineError, Overloaded

log = logging.getLogger(__name__)

RequestT = TypeVar("RequestT")
OutputT = TypeVar("OutputT")

_serial = itertools.count()


class Priority(IntEnum):
    """Who goes first when a batch has not room for all: the lowest number."""

    INTERRUPTION = 0  # is it words? playback is paused until this is known
    ANSWER = 1  # the final transcript, the first clause of an answer
    CONTINUATION = 2  # the rest of an answer
    PARTIAL = 3  # partial transcripts, speculative prefill
    OFFLINE = 4  # REST work that nobody waits for in real time


class Job(Generic[RequestT, OutputT]):
    """One request. The loop may submit, read and cancel it; the thread does everything else.

    Use as `async with batcher.submit(request) as job: async for output in job: ...`; leaving the
    block early cancels the job. One reader, one time.
    """

    def __init__(
        self, batcher: "Batcher[RequestT, OutputT]", request: RequestT, priority: Priority
    ) -> None:
        self.request = request
        self.priority = priority
        self.state: Any = None  # the engine's own: a KV-cache sequence, a decoder, nothing
        self.cancelled = False  # written by the loop, read by the thread between steps
        self.finished = False
        self.error: Exception | None = None  # why it failed, where it alone did
        self.context = contextvars.copy_context()  # the submitter's: of its session and epoch
        self._order = (priority, next(_serial))
        self._batcher = batcher
        self._fresh: list[OutputT] = []  # thread side, emptied once per step
        self._inbox: deque[OutputT | Exception | None] = deque()  # loop side
        self._news: asyncio.Future[None] | None = None  # what the reader waits for, likewise

    def __lt__(self, other: "Job[Any, Any]") -> bool:
        return self._order < other._order

    # The thread's side.

    def emit(self, output: OutputT) -> None:
        """Hand one output to the reader at the end of this step."""
        self._fresh.append(output)

    def finish(self) -> None:
        """The job takes no further step; its slot is given back after this one."""
        self.finished = True

    def fail(self, error: Exception) -> None:
        """As `finish`, and its reader gets `error` after what was emitted. The batch goes on."""
        self.error = error
        self.finished = True

    # The loop's side.

    def cancel(self) -> None:
        """The job ends before its next step, and its reader gets nothing more."""
        self.cancelled = True
        self._put(None)  # wakes the reader

    async def __aenter__(self) -> Self:
        self._batcher._enqueue(self)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.cancel()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> OutputT:
        if self.cancelled:
            raise StopAsyncIteration
        while not self._inbox:
            self._news = self._batcher._loop.create_future()
            await self._news
        item = self._inbox.popleft()
        if item is None or isinstance(item, Exception):
            self._inbox.append(item)  # the end stays the end, however often it is read
        if item is None or self.cancelled:
            raise StopAsyncIteration
        if isinstance(item, Exception):
            raise item
        return item

    def _put(self, item: OutputT | Exception | None) -> None:
        self._inbox.append(item)
        if self._news is not None and not self._news.done():
            self._news.set_result(None)


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


class Batcher(Generic[RequestT, OutputT]):
    """Runs one `Engine` on one thread, from `async with` to the end of the block.

    `gather_seconds`: least time between two hand-overs to the thread. What is submitted sooner
    after one waits for the next, and shares its step; after a longer rest nothing waits.
    """

    def __init__(
        self,
        name: str,
        engine: Engine,
        *,
        max_pending: int = 256,
        gather_seconds: float = 0.0,
        on_death: Callable[[BaseException], None] | None = None,
    ) -> None:
        self.name = name
        self.engine = engine
        self.max_pending = max_pending
        self.gather_seconds = gather_seconds
        self.failure: BaseException | None = None  # why the thread died; None while it lives
        self._batch_sizes: dict[int, int] = {}
        self._on_death = on_death
        self._fresh: list[Job[RequestT, OutputT]] = []  # loop side: not yet with the thread
        self._next_hand_over = 0.0  # by the loop's clock: not before
        self._submitted: queue.SimpleQueue[list[Job[RequestT, OutputT]] | None] = (
            queue.SimpleQueue()
        )
        self._waiting: list[Job[RequestT, OutputT]] = []  # a heap
        self._running: list[Job[RequestT, OutputT]] = []
        self._pending: set[Job[RequestT, OutputT]] = set()  # loop side: submitted, not yet ended
        self._posts: deque[Callable[[], None]] = deque()  # what the loop is to do, in order
        self._is_loop_called = False  # and will see all that is posted by then
        self._open = False

    async def __aenter__(self) -> Self:
        """Start the thread and wait until the engine is loaded. Raises what `load` raised."""
        self._loop = asyncio.get_running_loop()
        self._loaded: asyncio.Future[None] = self._loop.create_future()
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()
        try:
            await self._loaded
        except BaseException:
            self._submitted.put(None)  # a start that was cancelled leaves no thread behind
            raise
        self._open = True
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._open = False
        self._hand_over()
        self._submitted.put(None)  # last in line, so nothing is left unread behind it
        await asyncio.to_thread(self._thread.join)

    @property
    def pending(self) -> int:
        """Jobs submitted and not yet ended."""
        return len(self._pending)

    @property
    def batch_sizes(self) -> dict[int, int]:
        """How many steps had how many jobs, for the metrics."""
        return dict(self._batch_sizes)

    def submit(
        self, request: RequestT, *, priority: Priority = Priority.ANSWER
    ) -> Job[RequestT, OutputT]:
        """A job, to be entered with `async with`, which raises `Overloaded` if the line is full."""
        return Job(self, request, priority)

    async def run(self, request: RequestT, *, priority: Priority = Priority.ANSWER) -> OutputT:
        """The only output of a job that has one (VAD, STT)."""
        async with self.submit(request, priority=priority) as job:
            async for output in job:
                return output
        raise EngineError(f"{self.name} ended a job without an answer.")

    def post(self, request: RequestT, *, priority: Priority = Priority.ANSWER) -> None:
        """A job that nobody reads, and so nobody leaves early. Raises `EngineError` at once."""
        self._enqueue(Job(self, request, priority))

    def _enqueue(self, job: Job[RequestT, OutputT]) -> None:
        if self.failure is not None or not self._open:
            raise EngineError(f"{self.name} is not running.")
        if self.pending >= self.max_pending:
            raise Overloaded(f"{self.name} has {self.pending} jobs waiting. Try again shortly.")
        self._pending.add(job)
        if not self._fresh:
            self._plan_hand_over()
        self._fresh.append(job)

    def _plan_hand_over(self) -> None:
        """At the end of this round of the loop, or when it is time to."""
        if self._loop.time() < self._next_hand_over:
            self._loop.call_at(self._next_hand_over, self._hand_over)
        else:
            self._loop.call_soon(self._hand_over)

    def _hand_over(self) -> None:
        """All that was submitted since the last time, so that it wakes the thread once."""
        self._next_hand_over = self._loop.time() + self.gather_seconds
        fresh, self._fresh = self._fresh, []
        if fresh:
            self._submitted.put(fresh)

    # Everything below runs on the thread, except what stands under "Back on the loop".

    def _run(self) -> None:
        try:
            self.engine.load()
        except BaseException as error:
            self._post(self._finish_loading, error)
            self._call_loop()
            return
        self._post(self._finish_loading, None)
        self._call_loop()
        try:
            self._serve()
        except BaseException as error:
            log.exception("%s: its thread died", self.name)
            self._post(self._bury, error)
        self._call_loop()

    def _serve(self) -> None:
        while self._receive():
            self._end([job for job in self._waiting + self._running if job.cancelled])
            self._admit()
            self._call_loop()  # who is refused need not wait for the step
            self._step()
            self._call_loop()
            if not (self._waiting or self._running):
                self.engine.assert_idle()
        self._end(self._waiting + self._running, EngineError(f"{self.name} is shutting down."))
        self.engine.assert_idle()

    def _receive(self) -> bool:
        """Take in new jobs, sleeping only when there is nothing else to do. False means stop."""
        block = not (self._waiting or self._running)
        while True:
            try:
                jobs = self._submitted.get(block=block)
            except queue.Empty:
                return True
            if jobs is None:
                return False
            for job in jobs:
                heapq.heappush(self._waiting, job)
            block = False

    def _admit(self) -> None:
        while self._waiting and len(self._running) < self.engine.max_batch:
            job = self._waiting[0]
            try:
                admitted = self.engine.start(job)
            except Exception as error:
                self._end([job], error)
                continue
            if admitted:
                heapq.heappop(self._waiting)
                bisect.insort(self._running, job)
            elif self._running:
                return
            else:  # nothing will ever free the room that it waits for
                self._end([job], Overloaded(f"{self.name} has no room for this request."))

    def _step(self) -> None:
        if not self._running:
            return
        size = len(self._running)
        self._batch_sizes[size] = self._batch_sizes.get(size, 0) + 1
        try:
            self.engine.step(tuple(self._running))
        except Exception as error:
            log.exception("%s failed on a batch of %d", self.name, size)
            for job in self._running:
                job.context.run(log.error, "%s: this job was in the batch", self.name)
            self._end(list(self._running), error)
            return
        fresh = [(job, job._fresh) for job in self._running if job._fresh]
        for job, _ in fresh:
            job._fresh = []
        if fresh:
            self._post(self._deliver, fresh)
        self._end([job for job in self._running if job.finished])

    def _end(self, jobs: list[Job[RequestT, OutputT]], error: Exception | None = None) -> None:
        """Take jobs out of the line or the batch, free their slots, and tell their readers."""
        if not jobs:
            return
        for job in jobs:
            if job in self._running:
                self._running.remove(job)
                self.engine.stop(job)
            else:
                self._waiting.remove(job)
        heapq.heapify(self._waiting)
        self._post(self._close, jobs, error)

    def _post(self, callback: Callable[..., None], *arguments: object) -> None:
        """Have the loop call back, in order, once it is called."""
        self._posts.append(partial(callback, *arguments))

    def _call_loop(self) -> None:
        """Have the loop do what was posted: one wake-up, however much that is.

        A loop that is gone has no readers either.
        """
        if not self._posts or self._is_loop_called:
            return
        self._is_loop_called = True
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._take_posts)

    # Back on the loop.

    def _take_posts(self) -> None:
        self._is_loop_called = False  # first: what is posted from now on calls anew
        while self._posts:
            self._posts.popleft()()

    def _finish_loading(self, error: BaseException | None) -> None:
        if self._loaded.done():  # the start was cancelled meanwhile
            return
        if error is None:
            self._loaded.set_result(None)
        elif isinstance(error, Exception):
            self._loaded.set_exception(error)
        else:
            self._loaded.set_exception(EngineError(f"{self.name} failed to load: {error!r}."))

    def _deliver(self, fresh: list[tuple[Job[RequestT, OutputT], list[OutputT]]]) -> None:
        for job, outputs in fresh:
            if not job.cancelled:
                for output in outputs:
                    job._put(output)

    def _close(self, jobs: list[Job[RequestT, OutputT]], error: Exception | None) -> None:
        self._pending.difference_update(jobs)
        for job in jobs:
            job._put(_as_engine_error(self.name, job.error or error))

    def _bury(self, error: BaseException) -> None:
        self.failure = error
        self._close(list(self._pending), EngineError(f"{self.name} has died: {error!r}."))
        if self._on_death is not None:
            self._on_death(error)


def _as_engine_error(name: str, error: Exception | None) -> Exception | None:
    """What a reader is told: errors of our own as they are, anything else wrapped."""
    if error is None or isinstance(error, EngineError):
        return error
    wrapped = EngineError(f"{name} failed: {error!r}.")
    wrapped.__cause__ = error
    return wrapped
