"""The thread that owns a model, and the way to it and back."""

import asyncio
import logging
import queue
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Generic, Self

from engines.batcher.job import Job, OutputT, Priority, RequestT
from engines.batcher.posts import Posts
from engines.batcher.scheduler import Emitted, Ended, Engine, Scheduler
from engines.errors import EngineError, Overloaded

log = logging.getLogger(__name__)


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
        self._on_death = on_death
        self._fresh: list[Job[RequestT, OutputT]] = []  # loop side: not yet with the thread
        self._next_hand_over = 0.0  # by the loop's clock: not before
        self._submitted: queue.SimpleQueue[list[Job[RequestT, OutputT]] | None] = (
            queue.SimpleQueue()
        )
        self._scheduler: Scheduler[RequestT, OutputT] = Scheduler(
            name, engine, self._on_emitted, self._on_ended
        )
        self._pending: set[Job[RequestT, OutputT]] = set()  # loop side: submitted, not yet ended
        self._open = False

    async def __aenter__(self) -> Self:
        """Start the thread and wait until the engine is loaded. Raises what `load` raised."""
        self._loop = asyncio.get_running_loop()
        self._posts = Posts(self._loop)
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
        return dict(self._scheduler.batch_sizes)

    def submit(
        self, request: RequestT, *, priority: Priority = Priority.ANSWER
    ) -> Job[RequestT, OutputT]:
        """A job, to be entered with `async with`, which raises `Overloaded` if the line is full."""
        return Job(request, priority, self._enqueue)

    async def run(self, request: RequestT, *, priority: Priority = Priority.ANSWER) -> OutputT:
        """The only output of a job that has one (VAD, STT)."""
        async with self.submit(request, priority=priority) as job:
            async for output in job:
                return output
        raise EngineError(f"{self.name} ended a job without an answer.")

    def post(self, request: RequestT, *, priority: Priority = Priority.ANSWER) -> None:
        """A job that nobody reads, and so nobody leaves early. Raises `EngineError` at once."""
        self._enqueue(self.submit(request, priority=priority))

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

    # On the thread.

    def _run(self) -> None:
        try:
            self.engine.load()
        except BaseException as error:
            self._post_now(self._finish_loading, error)
            return
        self._post_now(self._finish_loading, None)
        try:
            self._serve()
        except BaseException as error:
            log.exception("%s: its thread died", self.name)
            self._post_now(self._bury, error)

    def _serve(self) -> None:
        scheduler = self._scheduler
        while self._receive():
            scheduler.drop_cancelled()
            scheduler.admit()
            self._posts.call_loop()  # who is refused need not wait for the step
            scheduler.step()
            self._posts.call_loop()
            if scheduler.is_idle:
                self.engine.assert_idle()
        scheduler.end_all(EngineError(f"{self.name} is shutting down."))
        self._posts.call_loop()
        self.engine.assert_idle()

    def _receive(self) -> bool:
        """Take in new jobs, sleeping only when there is nothing else to do. False means stop."""
        block = self._scheduler.is_idle
        while True:
            try:
                jobs = self._submitted.get(block=block)
            except queue.Empty:
                return True
            if jobs is None:
                return False
            self._scheduler.add(jobs)
            block = False

    def _on_emitted(self, emitted: Emitted[RequestT, OutputT]) -> None:
        self._posts.put(self._deliver, emitted)

    def _on_ended(self, jobs: Ended[RequestT, OutputT], error: Exception | None) -> None:
        self._posts.put(self._close, jobs, error)

    def _post_now(self, callback: Callable[..., None], *arguments: object) -> None:
        self._posts.put(callback, *arguments)
        self._posts.call_loop()

    # Back on the loop.

    def _finish_loading(self, error: BaseException | None) -> None:
        if self._loaded.done():  # the start was cancelled meanwhile
            return
        if error is None:
            self._loaded.set_result(None)
        elif isinstance(error, Exception):
            self._loaded.set_exception(error)
        else:
            self._loaded.set_exception(EngineError(f"{self.name} failed to load: {error!r}."))

    def _deliver(self, emitted: Emitted[RequestT, OutputT]) -> None:
        for job, outputs in emitted:
            job.deliver(outputs)

    def _close(self, jobs: Ended[RequestT, OutputT], error: Exception | None) -> None:
        self._pending.difference_update(jobs)
        for job in jobs:
            job.end(_as_engine_error(self.name, job.error or error))

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
