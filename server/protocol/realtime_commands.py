"""What an OpenAI Realtime client sends, as commands."""

import base64
import binascii
import json
from collections.abc import Callable, Collection
from typing import Any

from engines.errors import ProtocolError
from server.audio import decode_pcm16
from server.events import (
    AppendAudio,
    CancelResponse,
    ClearAudio,
    Command,
    CommitAudio,
    CreateItem,
    CreateResponse,
    FunctionOutputItem,
    Item,
    MessageItem,
    TruncateItem,
    UpdateSettings,
)
from server.ids import new_id
from server.protocol.fields import Fields, invalid
from server.protocol.realtime_settings import updated
from server.settings import Settings

MAXIMUM_APPEND_BYTES = 15 * 1024 * 1024  # the API's own bound
_CONTENT_OF_ROLE = {
    "system": ("input_text",),
    "user": ("input_text",),
    "assistant": ("output_text",),
}


class Decoder:
    """Decodes one client's messages; remembers the settings, since an update changes a part."""

    def __init__(self, settings: Settings, languages: Collection[str]) -> None:
        self._settings = settings
        self._languages = languages
        self._handlers: dict[str, Callable[[Fields], Command]] = {
            "session.update": self._session_update,
            "input_audio_buffer.append": _append,
            "input_audio_buffer.commit": lambda _: CommitAudio(),
            "input_audio_buffer.clear": lambda _: ClearAudio(),
            "conversation.item.create": _item_create,
            "conversation.item.truncate": _item_truncate,
            "response.create": lambda _: CreateResponse(),
            "response.cancel": _cancel,
        }

    def decode(self, text: str) -> Command:
        """One message. Raises `ProtocolError`; the session lives on."""
        message = Fields(_parse(text), "")
        kind = message.text("type")
        if kind not in self._handlers:
            raise invalid("type", kind, " or ".join(self._handlers))
        return self._handlers[kind](message)

    def _session_update(self, message: Fields) -> Command:
        self._settings = updated(self._settings, message.object("session"), self._languages)
        return UpdateSettings(self._settings)


def event_id_of(text: str) -> str | None:
    """The client's own name of a message, for the error that answers it."""
    try:
        message = _parse(text)
    except ProtocolError:
        return None
    event_id = message.get("event_id") if isinstance(message, dict) else None
    return event_id if isinstance(event_id, str) else None


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(
            f"The message is not valid JSON: {error}.", code="invalid_json"
        ) from error


def _append(message: Fields) -> Command:
    encoded = message.text("audio")
    if len(encoded) > MAXIMUM_APPEND_BYTES:
        raise invalid("audio", f"{len(encoded)} bytes", f"at most {MAXIMUM_APPEND_BYTES}")
    try:
        data = base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise invalid("audio", encoded, f"base64 ({error})") from error
    return AppendAudio(decode_pcm16(data))


def _item_create(message: Fields) -> Command:
    return CreateItem(_item(message.object("item")))


def _item(wire: Fields) -> Item:
    item_id = wire.text("id", new_id("item"))
    if wire.choice("type", ("message", "function_call_output")) == "function_call_output":
        return FunctionOutputItem(item_id, wire.text("call_id"), wire.text("output"))
    role = wire.choice("role", tuple(_CONTENT_OF_ROLE))
    texts = []
    for part in wire.objects("content"):
        part.choice("type", _CONTENT_OF_ROLE[role])
        texts.append(part.text("text"))
    return MessageItem(item_id, role, " ".join(texts))  # type: ignore[arg-type]


def _item_truncate(message: Fields) -> Command:
    message.integer("content_index", 0, 0, 0)
    day_ms = 24 * 3600 * 1000
    return TruncateItem(message.text("item_id"), message.integer("audio_end_ms", 0, day_ms))


def _cancel(message: Fields) -> Command:
    return CancelResponse(message.text("response_id") if "response_id" in message else None)
