"""The only way to the client.

Every event that belongs to a turn carries that turn's epoch. The epoch is advanced here and nowhere
else, and what is older does not leave: neither what is still queued nor what an engine that had
already been told to stop delivers late. A turn that is only a draft (the caller may go on speaking)
is held back until it is confirmed.
"""

import asyncio
from collections.abc import AsyncIterator, Callable

from server.conversation.playback import Playback
from server.events import AnswerAudio, AnswerText, Event
from server.metrics import Milestone, TurnRecord


class Outbox:
    """One session's outgoing events, in order."""

    def __init__(self, on_release: Callable[[Event], None]) -> None:
        self.epoch = 0
        self.playback = Playback()
        self._on_release = on_release  # told of every event that passes, in order: the history
        self._record: TurnRecord | None = None
        self._held: list[Event] | None = None  # None: the current epoch is confirmed
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue()

    def advance(self, *, draft: bool = False) -> int:
        """Begin a new epoch: from now on nothing of an older one leaves."""
        self.epoch += 1
        self.playback = Playback()
        self._record = None
        self._held = [] if draft else None
        return self.epoch

    def watch(self, record: TurnRecord) -> None:
        """Note in the record of the current turn when its first audio leaves."""
        self._record = record

    def confirm(self) -> None:
        """The current turn is no longer a draft: what it has prepared may leave."""
        held, self._held = self._held or [], None
        for event in held:
            self._release(event)

    @property
    def confirmed(self) -> bool:
        """Whether the current epoch's events may leave."""
        return self._held is None

    def put(self, event: Event) -> None:
        """Send an event, hold it with the draft that it belongs to, or drop it as stale."""
        if event.epoch is None:
            self._release(event)
        elif event.epoch == self.epoch and self._held is not None:
            self._held.append(event)
        elif event.epoch == self.epoch:
            self._release(event)

    def close(self) -> None:
        """After what is queued, the end."""
        self._queue.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[Event]:
        """What is to be sent, until `close`."""
        loop = asyncio.get_running_loop()
        while (event := await self._queue.get()) is not None:
            if self._is_stale(event):
                continue
            self._note(event, loop.time())
            yield event

    def _release(self, event: Event) -> None:
        self._on_release(event)
        self._queue.put_nowait(event)

    def _is_stale(self, event: Event) -> bool:
        """Words and sound of an older epoch are dropped; that it began and ended is still told."""
        return isinstance(event, AnswerAudio | AnswerText) and event.epoch != self.epoch

    def _note(self, event: Event, now_seconds: float) -> None:
        if isinstance(event, AnswerText):
            self.playback.begin_piece(event.text)
        elif isinstance(event, AnswerAudio):
            self.playback.play(event.seconds, now_seconds)
            if self._record is not None:
                self._record.reach(Milestone.FIRST_AUDIO_SENT, now_seconds)
