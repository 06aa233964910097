"""What the client asks for: every command is obeyed or refused, and the session lives on."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from engines.errors import EngineError, ProtocolError
from server.commands import (
    AppendAudio,
    AudioPlayed,
    CancelResponse,
    ClearAudio,
    Command,
    CommitAudio,
    CreateItem,
    CreateResponse,
    DeleteItem,
    KeysPressed,
    Named,
    RetrieveItem,
    TruncateItem,
    UpdateSettings,
)
from server.conversation.aside import Asides
from server.conversation.background import Spawn
from server.conversation.context import Conversation
from server.conversation.floor import Floor
from server.conversation.machine import State, Trigger
from server.events import AudioCleared, Failed, ItemAdded, SettingsUpdated
from server.ids import new_id
from server.items import MessageItem
from server.session_items import Items
from server.session_responses import Responses

log = logging.getLogger(__name__)

Handler = Callable[[Any], Awaitable[None] | None]


class Requests:
    """Obeys one client."""

    def __init__(
        self, conversation: Conversation, floor: Floor, asides: Asides, spawn: Spawn
    ) -> None:
        self._conversation = conversation
        self._outbox = conversation.outbox
        self._floor = floor
        self._items = items = Items(conversation, floor, spawn)
        self._responses = responses = Responses(conversation, floor, items, asides)
        self._handlers: dict[type, Handler] = {
            AppendAudio: lambda command: floor.listen(command.samples),
            UpdateSettings: self._update,
            CommitAudio: self._commit,
            ClearAudio: self._clear,
            CreateItem: lambda command: items.create(command.item, command.previous_item_id),
            RetrieveItem: lambda command: items.retrieve(command.item_id),
            DeleteItem: lambda command: items.delete(command.item_id),
            TruncateItem: lambda command: items.truncate(command.item_id, command.audio_end_ms),
            CreateResponse: responses.create,
            CancelResponse: lambda command: responses.cancel(command.response_id),
            AudioPlayed: lambda command: self._outbox.note_played(command.epoch),
            KeysPressed: self._type,
        }

    async def obey(self, command: Command) -> None:
        """Do what the client asks for, or tell it why not."""
        named = command if isinstance(command, Named) else Named(command, None)
        try:
            work = self._handlers[type(named.command)](named.command)
            if work is not None:
                await work
        except (ProtocolError, EngineError) as error:
            log.info("a command was refused: %s", error)
            self._outbox.put(Failed(error, named.event_id))

    def _update(self, command: UpdateSettings) -> None:
        self._conversation.allow(command.settings)
        self._floor.reconfigure(command.settings)
        self._outbox.put(SettingsUpdated(command.settings))

    def _clear(self, command: ClearAudio) -> None:
        self._floor.fire(Trigger.SPEECH_DISCARDED)
        self._outbox.put(AudioCleared())

    def _commit(self, command: CommitAudio) -> None:
        if not self._floor.attention.has_audio:
            raise ProtocolError(
                "There is no audio to commit: append some first.",
                code="input_audio_buffer_commit_empty",
            )
        match self._floor.state:
            case State.LISTENING_IDLE:
                self._floor.fire(Trigger.AUDIO_COMMITTED)
            case State.LISTENING_ACTIVE:
                self._floor.fire(Trigger.SPEECH_ENDED)
            case State.INTERRUPTED:
                self._floor.fire(Trigger.WORDS)
                self._floor.fire(Trigger.SPEECH_ENDED)
            case _:  # an answer goes on, which the client has not cancelled
                self._floor.note_speech()

    def _type(self, command: KeysPressed) -> None:
        """Keys are a turn of the caller's, and interrupt like words."""
        self._floor.interrupt()
        self._outbox.put(ItemAdded(MessageItem(new_id("item"), "user", command.keys)))
        self._responses.create(CreateResponse())
