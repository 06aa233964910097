"""The answer that the client has asked for, until it begins."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from server.conversation.attention import Attention
from server.conversation.background import Spawn
from server.conversation.history import History
from server.settings import Settings

_NO_SOUND_SECONDS = 1.0  # without a window: the client sends no audio any more


@dataclass(frozen=True, slots=True)
class Asked:
    """An answer that the client asks for."""

    settings: Settings
    history: History | None  # None: to the conversation


class Asking:
    """Of one session: at most one answer waits."""

    def __init__(self, attention: Attention, spawn: Spawn, end_speech: Callable[[], None]) -> None:
        self.waiting: Asked | None = None
        self._attention = attention
        self._spawn = spawn
        self._end_speech = end_speech

    @property
    def of_conversation(self) -> Asked | None:
        """The one that waits, if it is to the conversation."""
        return self.waiting if self.waiting and self.waiting.history is None else None

    def take(self) -> Asked | None:
        """The one that waits, which waits no longer."""
        waiting, self.waiting = self.waiting, None
        return waiting

    def drop(self) -> None:
        """One to the conversation is made, or not wanted any more."""
        if self.of_conversation:
            self.waiting = None

    def wait_for_caller(self) -> None:
        """They speak. A client that sends nothing any more, not even silence, will never tell that
        they have finished."""
        self._spawn(self._end_speech_without_sound, "asked")

    async def _end_speech_without_sound(self) -> None:
        asked = self.waiting
        while asked is not None and asked is self.waiting:
            known_seconds = self._attention.now_seconds
            await asyncio.sleep(_NO_SOUND_SECONDS)
            if asked is self.waiting and self._attention.now_seconds == known_seconds:
                self._end_speech()
                return
