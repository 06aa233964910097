"""What a thread has the event loop do: in order, and one wake-up however much it is."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from functools import partial


class Posts:
    """The thread puts in and calls; the loop takes all that is there."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._posts: deque[Callable[[], None]] = deque()
        self._is_loop_called = False  # and will see all that is put in by then

    def put(self, callback: Callable[..., None], *arguments: object) -> None:
        """Have the loop call back, once it is called."""
        self._posts.append(partial(callback, *arguments))

    def call_loop(self) -> None:
        """Have the loop do what was put in. A loop that is gone has no readers either."""
        if not self._posts or self._is_loop_called:
            return
        self._is_loop_called = True
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._take)

    def _take(self) -> None:
        self._is_loop_called = False  # first: what is put in from now on calls anew
        while self._posts:
            self._posts.popleft()()
