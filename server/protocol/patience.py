"""With another end that does not take what it is sent: only for so long."""

import asyncio
from collections.abc import Callable
from types import TracebackType


class Patience:
    """Watches what is sent in `with patience:`, one thing at a time.

    Where it has not been taken after `seconds`, `cut` is called, which has to end it. There is one
    timer for the whole call, set anew where it comes too early: a timeout for every message would
    cost more than the message.
    """

    def __init__(self, seconds: float, cut: Callable[[], None]) -> None:
        self._seconds = seconds
        self._cut = cut
        self._loop = asyncio.get_running_loop()
        self._deadline: float | None = None  # of what is being sent, by the loop's clock
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> None:
        self._deadline = self._loop.time() + self._seconds
        if self._timer is None:
            self._timer = self._loop.call_at(self._deadline, self._look)

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._deadline = None

    def close(self) -> None:
        """Nothing more will be sent."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        self._timer = None
        if self._deadline is None:
            return
        if self._deadline <= self._loop.time():
            self._cut()
        else:
            self._timer = self._loop.call_at(self._deadline, self._look)
