"""An answer of which all has been sent is over when the caller has heard it."""

import asyncio
from collections.abc import Callable

from server.conversation.background import Spawn
from server.conversation.outbox import TIMER_SECONDS, Outbox


class PlayOut:
    """Of one session. `is_held`: whether the answer is held; `on_heard` is called at its end."""

    def __init__(
        self,
        outbox: Outbox,
        spawn: Spawn,
        *,
        is_held: Callable[[], bool],
        on_heard: Callable[[], None],
    ) -> None:
        self._outbox = outbox
        self._spawn = spawn
        self._is_held = is_held
        self._on_heard = on_heard
        self._whole_epoch: int | None = None  # of the last answer of which all has been sent
        self._watch: asyncio.Task[None] | None = None

    @property
    def is_going_on(self) -> bool:
        """Whether the present answer is only being heard any more."""
        return self._whole_epoch == self._outbox.epoch

    def begin(self) -> None:
        """All of the present answer has been sent."""
        self._whole_epoch = self._outbox.epoch
        self.go_on()

    def go_on(self) -> None:
        """It is held no longer; nothing happens to one that is not whole."""
        if not self.is_going_on:
            return
        if self._watch is not None:
            self._watch.cancel()
        epoch = self._outbox.epoch  # of now: the task begins later
        self._watch = self._spawn(lambda: self._end_when_heard(epoch), "playback")

    async def _end_when_heard(self, epoch: int) -> None:
        """Wait until the caller has heard the answer to its end, if it is not held before."""
        loop = asyncio.get_running_loop()
        while epoch == self._outbox.epoch and not self._is_held():
            unheard_seconds = self._outbox.unheard_seconds(loop.time())
            if unheard_seconds < TIMER_SECONDS:
                self._on_heard()
                return
            await asyncio.sleep(unheard_seconds)
