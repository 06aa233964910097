"""Speech whose words are still to come: it is transcribed while the conversation goes on."""

import asyncio

from server.conversation.history import History
from server.items import MessageItem

MAXIMUM_AT_ONCE = 4  # of one session; what comes more waits


class Recordings:
    """One conversation's spoken items: those that the caller said, and those that the client put
    into it or into a question of its own."""

    def __init__(self) -> None:
        self.places = asyncio.Semaphore(MAXIMUM_AT_ONCE)  # for what nobody waits for by the floor
        self._words: dict[str, asyncio.Future[str]] = {}

    def expect(self, item_id: str) -> None:
        """The words of this item will be told."""
        self._words[item_id] = asyncio.get_running_loop().create_future()

    def tell(self, item_id: str, words: str) -> None:
        """These are an item's words, for all that wait for them; "" where it has none."""
        expected = self._words.get(item_id)
        if expected is not None and not expected.done():
            expected.set_result(words)

    async def settle(self, history: History) -> None:
        """Wait until this history, or copy of one, holds the words of all its speech."""
        for item in list(history.items.values()):
            words = self._words.get(item.id)
            if words is None or not isinstance(item, MessageItem) or item.text is not None:
                continue
            await asyncio.wait({words})
            if item.id in history.items:
                history.set_text(item.id, words.result())
