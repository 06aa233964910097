"""What an OpenAI Realtime client sends, as commands."""

from collections.abc import Callable, Collection, Mapping

from engines.errors import ProtocolError
from server.commands import (
    AppendAudio,
    CancelResponse,
    ClearAudio,
    Command,
    CommitAudio,
    CreateItem,
    CreateResponse,
    DeleteItem,
    Named,
    RetrieveItem,
    TruncateItem,
    UpdateSettings,
)
from server.protocol.fields import Fields, invalid
from server.protocol.json_text import parse_json
from server.protocol.realtime_audio import decode_audio
from server.protocol.realtime_items import read_audio, read_context, read_item
from server.protocol.realtime_settings import Choices, for_response, updated
from server.settings import Settings

_DAY_MS = 24 * 3600 * 1000


class Decoder:
    """Decodes one client's messages; remembers the settings, since an update changes a part.

    The first line of each handler below is what `docs/protocol.md` says about its event.
    """

    def __init__(
        self, settings: Settings, languages: Collection[str], voices: Collection[str] = ()
    ) -> None:
        self._settings = settings
        self._choices = Choices(languages, voices)

    def decode(self, text: str) -> Command:
        """One text message. Raises `ProtocolError`; the session lives on."""
        message = Fields(parse_json(text), "")
        kind = message.text("type")
        if kind not in HANDLERS:
            raise invalid("type", kind, " or ".join(HANDLERS))
        command = HANDLERS[kind](self, message)
        event_id = _event_id(message.required("event_id")) if message.has("event_id") else None
        return Named(command, event_id) if event_id is not None else command

    def decode_binary(self, data: bytes) -> Command:
        """One binary message: audio, where that was agreed upon. Raises `ProtocolError`."""
        if not self._settings.binary_audio:
            raise ProtocolError(
                "Messages are JSON text. To send audio as binary messages, ask for it first: "
                '{"type": "session.update", "session": {"tinig": {"binary_audio": true}}}.',
                code="invalid_message_type",
            )
        return AppendAudio(decode_audio(self._settings.input_format, data))

    def session_update(self, message: Fields) -> Command:
        """Changes what it names of the session's settings, and keeps the rest."""
        self._settings = updated(self._settings, message.object("session"), self._choices)
        return UpdateSettings(self._settings)

    def append(self, message: Fields) -> Command:
        """The next audio of the caller, in base64, in the input format, at most 15 MiB."""
        return AppendAudio(read_audio(message.text("audio"), "audio", self._settings.input_format))

    def commit(self, message: Fields) -> Command:
        """Makes the audio so far an item: the caller has finished (push to talk)."""
        return CommitAudio()

    def clear(self, message: Fields) -> Command:
        """Forgets the audio since the last turn."""
        return ClearAudio()

    def item_create(self, message: Fields) -> Command:
        """Adds a message (text, or a recording, which is transcribed), a function call or its
        output: after `previous_item_id`, after `root`, or after all others."""
        item = read_item(message.object("item"), self._settings.input_format)
        after = message.text("previous_item_id") if message.has("previous_item_id") else None
        return CreateItem(item, after)

    def item_retrieve(self, message: Fields) -> Command:
        """Asks how an item stands now, such as an answer that was cut."""
        return RetrieveItem(message.text("item_id"))

    def item_delete(self, message: Fields) -> Command:
        """Takes an item out of the conversation: the model does not see it any more."""
        return DeleteItem(message.text("item_id"))

    def item_truncate(self, message: Fields) -> Command:
        """Says how much of an answer was heard; the rest is forgotten, to the word."""
        message.integer("content_index", 0, 0, 0)
        return TruncateItem(message.text("item_id"), message.integer("audio_end_ms", 0, _DAY_MS))

    def response_create(self, message: Fields) -> Command:
        """Asks for an answer, with settings, input and metadata of its own if it names any, and
        beside the conversation with `conversation: "none"`."""
        if not message.has("response"):
            return CreateResponse()
        response = message.object("response")
        settings = for_response(self._settings, response, self._choices)
        return CreateResponse(
            settings,
            read_context(response, self._settings.input_format) if response.has("input") else None,
            is_beside=response.choice("conversation", ("auto", "none"), "auto") == "none",
        )

    def response_cancel(self, message: Fields) -> Command:
        """Stops the answer in progress, or the one that `response_id` names."""
        return CancelResponse(message.text("response_id") if message.has("response_id") else None)


HANDLERS: Mapping[str, Callable[[Decoder, Fields], Command]] = {
    "session.update": Decoder.session_update,
    "input_audio_buffer.append": Decoder.append,
    "input_audio_buffer.commit": Decoder.commit,
    "input_audio_buffer.clear": Decoder.clear,
    "conversation.item.create": Decoder.item_create,
    "conversation.item.retrieve": Decoder.item_retrieve,
    "conversation.item.delete": Decoder.item_delete,
    "conversation.item.truncate": Decoder.item_truncate,
    "response.create": Decoder.response_create,
    "response.cancel": Decoder.response_cancel,
}


def event_id_of(text: str) -> str | None:
    """The client's own name of a message, for the error that answers it."""
    try:
        message = parse_json(text)
    except ProtocolError:
        return None
    return _event_id(message.get("event_id")) if isinstance(message, dict) else None


def _event_id(value: object) -> str | None:
    return value if isinstance(value, str) else None
