"""Recordings that a client puts into the conversation: transcribed while it goes on."""

import asyncio

from server.conversation.history import History
from server.items import MessageItem

MAXIMUM_AT_ONCE = 4  # of one session; who sends more waits


class Recordings:
    """The words of one conversation's recordings, those that are still to come among them."""

    def __init__(self) -> None:
        self.places = asyncio.Semaphore(MAXIMUM_AT_ONCE)
        self._words: dict[str, asyncio.Future[str]] = {}

    def expect(self, item_id: str) -> asyncio.Future[str]:
        """Where the words of this recording are to be put."""
        words = self._words[item_id] = asyncio.get_running_loop().create_future()
        return words

    async def settle(self, history: History) -> None:
        """Wait until this history holds the words of all its recordings."""
        for item in list(history.items.values()):
            words = self._words.get(item.id)
            if words is None or not isinstance(item, MessageItem) or item.text is not None:
                continue
            await asyncio.wait({words})
            if item.id in history.items:
                history.set_text(item.id, words.result())
