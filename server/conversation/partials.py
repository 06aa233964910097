"""Words of the caller while they still speak.

What was said so far is transcribed again and again; words that two runs in a row agree upon are
stable and are told once. Source: LocalAgreement-2 (Liu, Spanakis and Niehues 2020, arXiv
2005.11185; Macháček, Dabre and Bojar 2023, arXiv 2307.14743).
"""

import asyncio
import logging
from collections.abc import Callable

from engines.batcher import Priority
from engines.errors import EngineError
from engines.stt import Transcript
from server.audio import Samples
from server.conversation.background import Spawn
from server.conversation.context import Conversation
from server.events import PartialTranscript
from server.settings import Settings

log = logging.getLogger(__name__)


class Partials:
    """Of one turn of the caller's: every so often, one run at a time, since the newest audio is
    best. `on_words` is told the stable words so far, and their language."""

    def __init__(
        self,
        conversation: Conversation,
        item_id: str,
        began_seconds: float,
        spawn: Spawn,
        on_words: Callable[[str, str], None],
    ) -> None:
        self._conversation = conversation
        self._item_id = item_id
        self._spawn = spawn
        self._on_words = on_words
        self._agreement = LocalAgreement()
        self._last: Transcript | None = None
        self._work: asyncio.Task[None] | None = None
        self._is_over = False
        self._plan_next(began_seconds)

    def is_due(self, now_seconds: float) -> bool:
        """Whether to transcribe what was said so far, at this audio time."""
        is_busy = self._work is not None and not self._work.done()
        return not (is_busy or self._is_over) and now_seconds >= self._next_seconds

    def transcribe(self, samples: Samples, settings: Settings, now_seconds: float) -> None:
        """Begin to: all that was said so far, float32[n] at 16 kHz."""
        self._plan_next(now_seconds)
        self._work = self._spawn(lambda: self._tell_stable_words(samples, settings), "partial")

    def stop(self) -> None:
        """All that was said until a pause is about to be transcribed: less of it is stale."""
        if self._work is not None:
            self._work.cancel()

    def end(self) -> None:
        """The turn is over: nothing of it is told any more."""
        self._is_over = True

    def _plan_next(self, now_seconds: float) -> None:
        self._next_seconds = now_seconds + self._conversation.config.partial_interval_seconds

    async def _tell_stable_words(self, samples: Samples, settings: Settings) -> None:
        """In the language that the caller is believed to speak."""
        likely = self._conversation.partial_language(self._last)
        try:
            self._last = await self._conversation.transcribe(
                samples, settings, Priority.PARTIAL, likely
            )
        except EngineError as error:  # the final transcript does not depend on it
            log.info("no partial transcript: %s", error)
            return
        delta = self._agreement.agree(self._last.text)
        if delta and not self._is_over:
            self._conversation.outbox.put(PartialTranscript(self._item_id, delta))
            self._on_words(self._agreement.stable, self._last.language)


class LocalAgreement:
    """Stable words of one utterance."""

    def __init__(self) -> None:
        self._previous: list[str] = []
        self._told: list[str] = []

    @property
    def stable(self) -> str:
        """All that was told."""
        return " ".join(self._told)

    def agree(self, text: str) -> str:
        """What to append to what was told so far, after one more transcription."""
        words = text.split()
        stable = _common_prefix(self._previous, words)
        self._previous = words
        fresh = stable[len(self._told) :]
        if not fresh or stable[: len(self._told)] != self._told:
            return ""
        joined = " ".join(fresh)
        delta = f" {joined}" if self._told else joined
        self._told = stable
        return delta


def _common_prefix(first: list[str], second: list[str]) -> list[str]:
    prefix: list[str] = []
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        prefix.append(one)
    return prefix
