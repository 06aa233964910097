"""The tasks that a session starts, which end with it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

log = logging.getLogger(__name__)

Work = Callable[[], Awaitable[None]]
Spawn = Callable[[Work, str], asyncio.Task[None]]


class Background:
    """A task group whose tasks are cancelled at the end of the block.

    A defect of ours ends the task in which it shows, not the call: it is logged, and `on_defect` is
    called.
    """

    def __init__(self, on_defect: Callable[[], None]) -> None:
        self.is_over = False  # nothing may be started any more
        self._on_defect = on_defect
        self._group = asyncio.TaskGroup()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.is_over = True
        for task in self._tasks:
            task.cancel()
        await self._group.__aexit__(exc_type, exc, traceback)

    def spawn(self, work: Work, name: str) -> asyncio.Task[None]:
        """Start a task; its name tells in a debugger what it is for."""
        task = self._group.create_task(self._contain(work), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _contain(self, work: Work) -> None:
        try:
            await work()
        except Exception:
            log.exception("a task of the session failed")
            self._on_defect()
