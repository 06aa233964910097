"""A caller's audio as it comes: cut into windows, each judged by the VAD, in order and in time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from server.audio import Samples
from server.conversation.attention import Attention
from server.conversation.endpointing import WINDOW_SECONDS
from server.conversation.lag import HearingLag
from server.conversation.machine import Trigger


class Ear:
    """Of one session. `on_window` is told of every window that was judged: the boundary that it
    makes, if it does."""

    def __init__(
        self,
        attention: Attention,
        *,
        is_answering: Callable[[], bool],
        on_window: Callable[[Trigger | None], None],
    ) -> None:
        self.lag = HearingLag()
        self._attention = attention
        self._is_answering = is_answering
        self._on_window = on_window

    def listen(self, samples: Samples) -> Awaitable[None] | None:
        """Take in float32[n] at the wire's rate: what is to be awaited if there is a window to be
        heard."""
        if len(samples) > self._attention.rate_hz:
            return self._listen_to_parts(samples)
        windows = self._attention.windows(samples)
        return self._hear(windows) if windows else None

    async def _listen_to_parts(self, samples: Samples) -> None:
        """A second at a time: what is done at once, all other callers wait for."""
        second = self._attention.rate_hz
        for start in range(0, len(samples), second):
            if windows := self._attention.windows(samples[start : start + second]):
                await self._hear(windows)
            await asyncio.sleep(0)

    async def _hear(self, windows: Sequence[Samples]) -> None:
        loop = asyncio.get_running_loop()
        arrived_seconds = self.lag.begin(len(windows) * WINDOW_SECONDS, loop.time())
        if not self._attention.listens_for_speech:
            self._attention.store(windows, arrived_seconds)
            self.lag.end(loop.time())
            return
        hasty, eager = self._is_answering(), self.lag.is_in_time
        unheard = iter(windows)
        async with self._attention.begin_to_hear(windows) as job:
            async for result in job:
                boundary = self._attention.hear(
                    next(unheard), result, arrived_seconds, hasty=hasty, eager=eager
                )
                self.lag.end(loop.time())
                self._on_window(boundary)
