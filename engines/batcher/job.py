"""One request: what its engine emits on the thread, its reader gets on the loop."""

import asyncio
import contextvars
import itertools
from collections import deque
from collections.abc import Callable, Iterable
from enum import IntEnum
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

RequestT = TypeVar("RequestT")
OutputT = TypeVar("OutputT")

_serial = itertools.count()


class Priority(IntEnum):
    """Who goes first when a batch has not room for all: the lowest number."""

    INTERRUPTION = 0  # is it words? playback is paused until this is known
    ANSWER = 1  # the final transcript, the first clause of an answer
    CONTINUATION = 2  # the rest of an answer, what a client has recorded
    PARTIAL = 3  # partial transcripts, speculative prefill
    OFFLINE = 4  # REST work that nobody waits for in real time


class Job(Generic[RequestT, OutputT]):
    """One request. The loop may submit, read and cancel it; the thread does everything else.

    Use as `async with batcher.submit(request) as job: async for output in job: ...`; leaving the
    block early cancels the job. One reader, one time.
    """

    def __init__(
        self,
        request: RequestT,
        priority: Priority,
        enqueue: Callable[["Job[RequestT, OutputT]"], None],
    ) -> None:
        self.request = request
        self.priority = priority
        self.state: Any = None  # the engine's own: a KV-cache sequence, a decoder, nothing
        self.cancelled = False  # written by the loop, read by the thread between steps
        self.finished = False
        self.error: Exception | None = None  # why it failed, where it alone did
        self.emitted: list[OutputT] = []  # in this step
        self.context = contextvars.copy_context()  # the submitter's: of its session and epoch
        self._order = (priority, next(_serial))
        self._enqueue = enqueue
        self._inbox: deque[OutputT] = deque()  # delivered and not yet read
        self._ended_with: Exception | None = None
        self._is_ended = False
        self._news: asyncio.Future[None] | None = None  # what the reader waits for

    def __lt__(self, other: "Job[Any, Any]") -> bool:
        return self._order < other._order

    # The engine's side, on the thread.

    def emit(self, output: OutputT) -> None:
        """Hand one output to the reader at the end of this step."""
        self.emitted.append(output)

    def finish(self) -> None:
        """The job takes no further step; its slot is given back after this one."""
        self.finished = True

    def fail(self, error: Exception) -> None:
        """As `finish`, and its reader gets `error` after what was emitted. The batch goes on."""
        self.error = error
        self.finished = True

    # The batcher's side.

    def take_emitted(self) -> list[OutputT]:
        """On the thread: what is to be delivered of this step."""
        emitted, self.emitted = self.emitted, []
        return emitted

    def deliver(self, outputs: Iterable[OutputT]) -> None:
        """On the loop: what the reader gets next."""
        self._inbox.extend(outputs)
        self._wake()

    def end(self, error: Exception | None) -> None:
        """On the loop: the reader gets nothing after what was delivered, or this error."""
        self._is_ended = True
        self._ended_with = error
        self._wake()

    # The reader's side, on the loop.

    def cancel(self) -> None:
        """The job ends before its next step, and its reader gets nothing more."""
        self.cancelled = True
        self._wake()

    async def __aenter__(self) -> Self:
        self._enqueue(self)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.cancel()

    @property
    def has_more(self) -> bool:
        """Whether the next output is there already."""
        return bool(self._inbox)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> OutputT:
        while not self.cancelled:
            if self._inbox:
                return self._inbox.popleft()
            if self._ended_with is not None:
                raise self._ended_with
            if self._is_ended:
                break
            self._news = asyncio.get_running_loop().create_future()
            await self._news
        raise StopAsyncIteration

    def _wake(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)
