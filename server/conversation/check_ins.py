"""A caller who says nothing for long is asked whether they are there, and then taken leave of."""

import asyncio

from server.conversation.answers import Answers
from server.conversation.attention import Attention
from server.conversation.context import Conversation
from server.events import AudioCommitted, ItemAdded, SilenceTimedOut
from server.items import MessageItem
from server.language.languages import Phrase
from server.settings import Settings


class CheckIns:
    """Of one session. A client that sets a time of its own is told of it each time, and never
    taken leave of."""

    def __init__(self, conversation: Conversation, attention: Attention, answers: Answers) -> None:
        self._conversation = conversation
        self._attention = attention
        self._answers = answers
        self._count = 0  # since the caller last spoke, typed or asked

    @property
    def is_over(self) -> bool:
        """Whether the caller was taken leave of."""
        return self._count > 1

    def reset(self) -> None:
        """The caller is there."""
        self._count = 0

    def is_due(self, settings: Settings, idle_seconds: float) -> bool:
        """Whether nothing has been said for long, after so many seconds of audio. Where the client
        decides what is answered, or nothing is, the server does not speak by itself."""
        own_seconds = self._conversation.config.idle_seconds if settings.answers else 0.0
        limit_seconds = _timeout_seconds(settings) or own_seconds
        return 0 < limit_seconds <= idle_seconds

    def begin(self, settings: Settings) -> None:
        """Ask whether they are there; where that was asked already, say goodbye."""
        if _timeout_seconds(settings):
            self._tell_timeout(_timeout_seconds(settings))
        else:
            self._count += 1
        words = Phrase.GOODBYE if self.is_over else Phrase.STILL_THERE
        now_seconds = asyncio.get_running_loop().time()
        self._answers.begin(settings, None, words=words, speech_end_seconds=now_seconds)

    def _tell_timeout(self, seconds: float) -> None:
        """The silence becomes an item, as the client of an idle timeout expects."""
        put, item_id = self._conversation.outbox.put, self._attention.item_id
        end_ms = round(1000 * self._attention.now_seconds)
        put(SilenceTimedOut(item_id, end_ms - round(1000 * seconds), end_ms))
        put(AudioCommitted(item_id))
        put(ItemAdded(MessageItem(item_id, "user", "", spoken=True)))
        self._attention.forget()


def _timeout_seconds(settings: Settings) -> float:
    """The client's own; 0 for none."""
    detection = settings.turn_detection
    is_answered = settings.type == "realtime"
    return (detection.idle_timeout_ms or 0) / 1000 if detection and is_answered else 0.0
