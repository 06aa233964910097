"""When the process ends, and with which status."""

import asyncio
import signal

from server.calls import Calls


class Ending:
    """Of a process that serves: by a signal, or by an engine that has died.

    SIGTERM lets the calls that are held end, for a while; SIGINT and a second SIGTERM do not.
    """

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self._status: asyncio.Future[int] = loop.create_future()
        self._leaving = asyncio.Event()
        loop.add_signal_handler(signal.SIGINT, self.finish, 0)
        loop.add_signal_handler(signal.SIGTERM, self._leave)

    def finish(self, status: int) -> None:
        """End now."""
        if not self._status.done():
            self._status.set_result(status)

    async def wait(self, calls: Calls, drain_seconds: float) -> int:
        """Until it is time; the process's exit status."""
        draining = asyncio.create_task(self._drain(calls, drain_seconds), name="drain")
        try:
            return await self._status
        finally:
            calls.draining = True
            draining.cancel()
            await asyncio.wait([draining])

    def _leave(self) -> None:
        if self._leaving.is_set():
            self.finish(0)
        self._leaving.set()

    async def _drain(self, calls: Calls, seconds: float) -> None:
        await self._leaving.wait()
        await calls.drain(seconds)
        self.finish(0)
