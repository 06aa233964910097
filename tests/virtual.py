"""An event loop whose clock jumps to the next timer whenever every task waits.

A test of an hour's conversation takes milliseconds, and the order of events does not depend on how
fast the machine is. While a real thread works, the clock stands still: work has no duration here.
"""

import asyncio
import functools
import selectors
from asyncio import Future
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, ParamSpec, TypeVar, TypeVarTuple

PATIENCE_SECONDS = 10.0  # real ones, until waiting without a timer is taken for a deadlock

P = ParamSpec("P")
T = TypeVar("T")
Ts = TypeVarTuple("Ts")

Ready = list[tuple[selectors.SelectorKey, int]]


class VirtualLoop(asyncio.SelectorEventLoop):
    """Its `time()` begins at 0 and moves only by jumps.

    Threads of `run_in_executor` and `asyncio.to_thread` hold the clock by themselves; others, such
    as a batcher's, are named to `hold_while`.
    """

    def __init__(self, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._now_seconds = 0.0
        self._holds: list[Callable[[], bool]] = []
        self._working: set[Future[Any]] = set()
        super().__init__(_JumpingSelector(self, patience_seconds))

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._now_seconds

    def hold_while(self, is_busy: Callable[[], bool]) -> None:
        """The clock stands still while `is_busy()` (e.g. `lambda: batcher.pending > 0`)."""
        self._holds.append(is_busy)

    def is_held(self) -> bool:
        """Whether some thread is still to report to the loop."""
        return bool(self._working) or any(is_busy() for is_busy in self._holds)

    def jump(self, seconds: float) -> None:
        """Move the clock."""
        self._now_seconds += seconds

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> Future[T]:
        """As always, and the clock waits for the result."""
        result = super().run_in_executor(executor, func, *args)
        self._working.add(result)
        result.add_done_callback(self._working.discard)
        return result


class _JumpingSelector(selectors.SelectSelector):
    def __init__(self, loop: VirtualLoop, patience_seconds: float) -> None:
        super().__init__()
        self._loop = loop
        self._patience_seconds = patience_seconds

    def select(self, timeout: float | None = None) -> Ready:
        """Ready files, if any; else jump `timeout` ahead; else wait for the threads."""
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if timeout is not None and not self._loop.is_held():
            self._loop.jump(timeout)
            return []
        return self._wait_for_threads()

    def _wait_for_threads(self) -> Ready:
        ready = super().select(self._patience_seconds)
        if not ready:
            raise RuntimeError("Deadlock: every task waits, and nothing is left to wake one.")
        return ready


def run_virtually(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end on a loop of its own."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


def stall(seconds: float) -> None:
    """The running loop does nothing for so long, as when something holds it up."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    loop.jump(seconds)


def virtual_time(test: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
    """Decorator: the async test runs on a `VirtualLoop`. Its fixtures must not be async."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return run_virtually(test(*args, **kwargs))

    return run
