"""The items of the conversation, as the client adds, asks for and removes them."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from engines.batcher import Priority
from engines.errors import EngineError, ProtocolError
from engines.vad import RATE_HZ
from server.audio import Pcm, int16_from_samples, samples_from_int16
from server.conversation.background import Spawn
from server.conversation.context import Conversation
from server.conversation.floor import Floor
from server.events import (
    Event,
    Failed,
    ItemAdded,
    ItemDeleted,
    ItemRetrieved,
    Transcribed,
    TranscriptionFailed,
)
from server.ids import new_id
from server.items import (
    MAXIMUM_RECORDING_SECONDS,
    ROOT,
    FunctionOutputItem,
    Item,
    ItemReference,
    MessageItem,
    NewItem,
    RecordedItem,
)
from server.resampling import resample

MAXIMUM_WAITING_SECONDS = 600.0  # of recordings without their words
MAXIMUM_ITEMS = 4096  # that a client adds; the model reads the last turns only
MAXIMUM_CHARACTERS = 4 * 1024 * 1024  # of all of them


class Items:
    """One client's hand in the history."""

    def __init__(self, conversation: Conversation, floor: Floor, spawn: Spawn) -> None:
        self._conversation = conversation
        self._recordings = conversation.recordings
        self._history = conversation.history
        self._outbox = conversation.outbox
        self._floor = floor
        self._spawn = spawn
        self._added: dict[str, int] = {}  # the client's own items, and their characters
        self._characters = 0  # of all of them
        none = np.zeros(0, np.int16)
        self._resampled: tuple[Pcm, int, Pcm] = (none, 0, none)  # the last: what, to Hz, and it
        self._waiting_seconds = 0.0  # of recordings that are being transcribed, or are to be

    def create(self, item: NewItem, previous_item_id: str | None) -> None:
        """Add an item; the words of a recording come later. Raises `ProtocolError`."""
        self._check_is_new(item.id)
        if previous_item_id is not None and previous_item_id != ROOT:
            self._find(previous_item_id, "create")
        self._check_room(item)
        if isinstance(item, RecordedItem):
            self._check_length(item)
            self._note(item)
            self._outbox.put(ItemAdded(_unheard(item), previous_item_id))
            self._history.audio.add(item.id, int16_from_samples(item.samples), item.rate_hz)
            self._transcribe(item, self._outbox.put)
        else:
            self._check_call(item)
            self._note(item)
            self._outbox.put(ItemAdded(item, previous_item_id))

    async def retrieve(self, item_id: str) -> None:
        """Tell how an item stands. Raises `ProtocolError`."""
        item = self._find(item_id, "retrieve")
        self._outbox.put(ItemRetrieved(item, await self._sound(item)))

    def delete(self, item_id: str) -> None:
        """Remove an item; words that are still to come for it are lost. Raises `ProtocolError`."""
        self._find(item_id, "delete")
        self._characters -= self._added.pop(item_id, 0)
        self._outbox.put(ItemDeleted(item_id))

    def truncate(self, item_id: str, audio_end_ms: int) -> None:
        """Cut an answer to what the caller has heard of it. Raises `ProtocolError`."""
        if self._floor.answers.is_current(item_id) and self._floor.is_answering:
            self._floor.cancel()  # the client has stopped playing it
        self._floor.answers.truncate(item_id, audio_end_ms)

    def resolve(self, context: Iterable[NewItem | ItemReference]) -> list[Item]:
        """Items that a response is to answer to; the words of recordings come later.

        Raises `ProtocolError`.
        """
        items: list[Item] = []
        for item in context:
            match item:
                case ItemReference(id=item_id):
                    items.append(self._find(item_id, "retrieve"))
                case RecordedItem():
                    own = replace(item, id=new_id("item"))  # it is no item of the conversation
                    self._check_length(own)
                    items.append(_unheard(own))
                    self._transcribe(own, self._tell_failure)
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

    def _check_room(self, item: NewItem) -> None:
        is_full = self._characters + item.characters > MAXIMUM_CHARACTERS
        if is_full or len(self._added) >= MAXIMUM_ITEMS:
            raise ProtocolError(
                f"The conversation has room for {MAXIMUM_ITEMS} items of a client's, of "
                f"{MAXIMUM_CHARACTERS} characters together: delete some that are old.",
                code="conversation_full",
                param="item",
            )

    def _check_length(self, item: RecordedItem) -> None:
        if not 0 < item.seconds <= MAXIMUM_RECORDING_SECONDS:
            raise ProtocolError(
                f"The recording is {item.seconds:.1f} s long; it may have up to "
                f"{MAXIMUM_RECORDING_SECONDS:.0f} s. Send longer ones through the input buffer.",
                code="invalid_value",
                param="item.content",
            )
        if self._waiting_seconds + item.seconds > MAXIMUM_WAITING_SECONDS:
            raise ProtocolError(
                f"More than {MAXIMUM_WAITING_SECONDS:.0f} s of recordings wait for their "
                "transcripts: send this one again when some have come.",
                code="conversation_full",
                param="item.content",
            )

    def _note(self, item: NewItem) -> None:
        self._added[item.id] = item.characters
        self._characters += item.characters

    def _check_call(self, item: Item) -> None:
        """A function's output belongs to a call that the model made."""
        if isinstance(item, FunctionOutputItem) and not self._history.has_call(item.call_id):
            raise ProtocolError(
                f"No function call has the call_id {item.call_id!r}.",
                code="invalid_value",
                param="item.call_id",
            )

    async def _sound(self, item: Item) -> Pcm | None:
        """What is kept of an item's sound, as its side of the session sounds now."""
        kept = self._history.audio.get(item.id)
        if kept is None or not isinstance(item, MessageItem):
            return None
        pcm, rate_hz = kept
        settings = self._floor.settings
        side = settings.output_format if item.role == "assistant" else settings.input_format
        if rate_hz == side.rate_hz:
            return pcm
        source, resampled_hz, _ = self._resampled
        if pcm is not source or side.rate_hz != resampled_hz:
            samples = samples_from_int16(pcm)
            resampled = await asyncio.to_thread(resample, samples, rate_hz, side.rate_hz)
            self._resampled = (pcm, side.rate_hz, int16_from_samples(resampled))
        return self._resampled[2]

    def _transcribe(self, item: RecordedItem, tell: Callable[[Event], None]) -> None:
        """Begin to."""
        self._recordings.expect(item.id)
        self._waiting_seconds += item.seconds
        self._spawn(lambda: self._hear_in_turn(item, tell), f"recording {item.id}")

    async def _hear_in_turn(self, item: RecordedItem, tell: Callable[[Event], None]) -> None:
        text = item.text
        try:
            async with self._recordings.places:
                text = await self._hear(item, tell)
        finally:
            self._waiting_seconds -= item.seconds
            self._recordings.tell(item.id, text)

    async def _hear(self, item: RecordedItem, tell: Callable[[Event], None]) -> str:
        """Its words, with those that are written in it."""
        try:
            samples = item.samples
            if item.rate_hz != RATE_HZ:
                samples = await asyncio.to_thread(resample, samples, item.rate_hz, RATE_HZ)
            settings = self._floor.settings
            heard = await self._conversation.transcribe(samples, settings, Priority.CONTINUATION)
        except EngineError as error:
            tell(TranscriptionFailed(item.id, error, None))
            return item.text
        text = f"{item.text} {heard.text}".strip()
        tell(Transcribed(item.id, text, heard.language_probabilities, heard.audio_seconds, None))
        return text

    def _tell_failure(self, event: Event) -> None:
        """The words of a response's own recording are told to nobody, but that there are none."""
        if isinstance(event, TranscriptionFailed):
            self._outbox.put(Failed(event.error))


def _unheard(item: RecordedItem) -> MessageItem:
    return MessageItem(item.id, "user", None, spoken=True)
