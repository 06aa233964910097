"""The items of the conversation, as the client adds, asks for and removes them."""

import asyncio
from collections.abc import Iterable

from engines.batcher import Priority
from engines.errors import ProtocolError
from engines.stt import Transcript
from engines.vad import RATE_HZ
from server.conversation.context import Conversation
from server.conversation.floor import Floor
from server.events import ItemAdded, ItemDeleted, ItemRetrieved, Transcribed
from server.items import (
    ROOT,
    FunctionOutputItem,
    Item,
    ItemReference,
    MessageItem,
    NewItem,
    RecordedItem,
)
from server.resampling import resample

MAXIMUM_RECORDING_SECONDS = 120.0  # of a message that is sent as a whole


class Items:
    """One client's hand in the history."""

    def __init__(self, conversation: Conversation, floor: Floor) -> None:
        self._conversation = conversation
        self._history = conversation.history
        self._outbox = conversation.outbox
        self._floor = floor

    async def create(self, item: NewItem, previous_item_id: str | None) -> None:
        """Add an item. Raises `ProtocolError`, and `EngineError` for a recording that cannot be
        heard."""
        self._check_is_new(item.id)
        if previous_item_id is not None and previous_item_id != ROOT:
            self._find(previous_item_id, "create")
        if isinstance(item, RecordedItem):
            transcript = await self._transcribe(item)
            self._outbox.put(ItemAdded(_message(item, transcript), previous_item_id))
            self._tell(item, transcript)
        else:
            self._check_call(item)
            self._outbox.put(ItemAdded(item, previous_item_id))

    def retrieve(self, item_id: str) -> None:
        """Tell how an item stands. Raises `ProtocolError`."""
        self._outbox.put(ItemRetrieved(self._find(item_id, "retrieve")))

    def delete(self, item_id: str) -> None:
        """Remove an item; words that are still to come for it are lost. Raises `ProtocolError`."""
        self._find(item_id, "delete")
        self._outbox.put(ItemDeleted(item_id))

    def truncate(self, item_id: str, audio_end_ms: int) -> None:
        """Cut an answer to what the caller has heard of it. Raises `ProtocolError`."""
        if self._floor.answers.is_current(item_id) and self._floor.is_answering:
            self._floor.cancel()  # the client has stopped playing it
        self._floor.answers.truncate(item_id, audio_end_ms)

    async def resolve(self, context: Iterable[NewItem | ItemReference]) -> list[Item]:
        """Items that a response is to answer to. Raises `ProtocolError` and `EngineError`."""
        items: list[Item] = []
        for item in context:
            match item:
                case ItemReference(id=item_id):
                    items.append(self._find(item_id, "retrieve"))
                case RecordedItem():
                    items.append(_message(item, await self._transcribe(item)))
                case _:
                    items.append(item)
        return items

    def _find(self, item_id: str, purpose: str) -> Item:
        item = self._history.items.get(item_id)
        if item is None:
            raise ProtocolError(
                f"There is no item {item_id!r} in the conversation.",
                code=f"item_{purpose}_invalid_item_id",
                param="item_id",
            )
        return item

    def _check_is_new(self, item_id: str) -> None:
        if item_id in self._history.items or item_id == ROOT:
            raise ProtocolError(
                f"There is an item {item_id!r} already: give another id, or none.",
                code="item_create_duplicate_item_id",
                param="item.id",
            )

    def _check_call(self, item: Item) -> None:
        """A function's output belongs to a call that the model made."""
        if isinstance(item, FunctionOutputItem) and not self._history.has_call(item.call_id):
            raise ProtocolError(
                f"No function call has the call_id {item.call_id!r}.",
                code="invalid_value",
                param="item.call_id",
            )

    def _tell(self, item: RecordedItem, transcript: Transcript) -> None:
        self._outbox.put(
            Transcribed(
                item.id,
                _message(item, transcript).text or "",
                transcript.language_probabilities,
                transcript.audio_seconds,
                None,
            )
        )

    async def _transcribe(self, item: RecordedItem) -> Transcript:
        seconds = len(item.samples) / item.rate_hz
        if not 0 < seconds <= MAXIMUM_RECORDING_SECONDS:
            raise ProtocolError(
                f"The recording is {seconds:.1f} s long; it may have up to "
                f"{MAXIMUM_RECORDING_SECONDS:.0f} s. Send longer ones through the input buffer.",
                code="invalid_value",
                param="item.content",
            )
        samples = item.samples
        if item.rate_hz != RATE_HZ:
            samples = await asyncio.to_thread(resample, samples, item.rate_hz, RATE_HZ)
        return await self._conversation.transcribe(samples, self._floor.settings, Priority.ANSWER)


def _message(item: RecordedItem, transcript: Transcript) -> MessageItem:
    text = f"{item.text} {transcript.text}".strip()
    return MessageItem(item.id, "user", text, spoken=True)
