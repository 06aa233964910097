"""What the client asks for: every command is obeyed or refused, and the session lives on."""

import logging
from collections.abc import Callable
from typing import Any

from engines.errors import EngineError, ProtocolError
from server.conversation.context import Conversation
from server.conversation.floor import Floor
from server.conversation.machine import State, Trigger
from server.events import (
    AppendAudio,
    AudioCleared,
    AudioPlayed,
    CancelResponse,
    ClearAudio,
    Command,
    CommitAudio,
    CreateItem,
    CreateResponse,
    Failed,
    FunctionOutputItem,
    Item,
    ItemAdded,
    KeysPressed,
    MessageItem,
    SettingsUpdated,
    TruncateItem,
    UpdateSettings,
)
from server.ids import new_id
from server.settings import Settings

log = logging.getLogger(__name__)


class Requests:
    """Obeys one client."""

    def __init__(self, conversation: Conversation, floor: Floor) -> None:
        self._conversation = conversation
        self._outbox = conversation.outbox
        self._floor = floor
        self._handlers: dict[type, Callable[[Any], None]] = {
            UpdateSettings: lambda command: self._update(command.settings),
            CommitAudio: lambda _: self._commit(),
            ClearAudio: lambda _: self._clear(),
            CreateItem: lambda command: self._create_item(command.item),
            TruncateItem: lambda command: self._truncate(command.item_id, command.audio_end_ms),
            CreateResponse: lambda _: self._create_response(),
            CancelResponse: lambda command: self._cancel_response(command.response_id),
            AudioPlayed: lambda command: self._outbox.note_played(command.epoch),
            KeysPressed: lambda command: self._type(command.keys),
        }

    async def obey(self, command: Command) -> None:
        """Do what the client asks for, or tell it why not."""
        try:
            if isinstance(command, AppendAudio):
                await self._floor.listen(command.samples)
            else:
                self._handlers[type(command)](command)
        except (ProtocolError, EngineError) as error:
            log.info("a command was refused: %s", error)
            self._outbox.put(Failed(error))

    def _clear(self) -> None:
        self._floor.fire(Trigger.SPEECH_DISCARDED)
        self._outbox.put(AudioCleared())

    def _create_item(self, item: Item) -> None:
        self._check_call(item)
        self._outbox.put(ItemAdded(item))

    def _update(self, settings: Settings) -> None:
        self._floor.reconfigure(settings)
        self._outbox.put(SettingsUpdated(settings))

    def _commit(self) -> None:
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

    def _truncate(self, item_id: str, audio_end_ms: int) -> None:
        if self._floor.answers.is_current(item_id) and self._floor.is_answering:
            self._floor.cancel()  # the client has stopped playing it
        self._floor.answers.truncate(item_id, audio_end_ms)

    def _create_response(self) -> None:
        match self._floor.state:
            case State.LISTENING_IDLE:
                self._floor.fire(Trigger.ANSWER_REQUESTED)
            case State.LISTENING_ACTIVE:
                self._floor.fire(Trigger.SPEECH_ENDED)
            case _ if not self._floor.answers.answer_when_heard():
                raise ProtocolError(
                    "A response is in progress: cancel it, or wait for response.done.",
                    code="conversation_already_has_active_response",
                )

    def _cancel_response(self, response_id: str | None) -> None:
        open_id = self._outbox.open_response_id
        if open_id is None or response_id not in (None, open_id):
            raise ProtocolError(
                "There is no such response in progress to cancel.",
                code="response_cancel_not_active",
            )
        self._floor.cancel()

    def _type(self, keys: str) -> None:
        """Keys are a turn of the caller's, and interrupt like words."""
        if self._floor.is_answering:
            self._floor.cancel()
        self._outbox.put(ItemAdded(MessageItem(new_id("item"), "user", keys)))
        self._create_response()

    def _check_call(self, item: Item) -> None:
        """A function's output belongs to a call that the model made."""
        if not isinstance(item, FunctionOutputItem):
            return
        if not self._conversation.history.has_call(item.call_id):
            raise ProtocolError(
                f"No function call has the call_id {item.call_id!r}.",
                code="invalid_value",
                param="item.call_id",
            )
