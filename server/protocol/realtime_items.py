"""The items of a conversation in the OpenAI Realtime protocol, read and written."""

from collections.abc import Mapping, Sequence

import numpy as np
import pybase64

from engines.errors import ProtocolError
from server.audio import Samples
from server.ids import new_id
from server.items import (
    FunctionCallItem,
    FunctionOutputItem,
    Item,
    ItemReference,
    MessageItem,
    NewItem,
    RecordedItem,
)
from server.protocol.fields import Fields, invalid
from server.protocol.realtime_audio import decode_audio
from server.protocol.realtime_table import Wire
from server.settings import AudioFormat

MAXIMUM_AUDIO_CHARACTERS = 15 * 1024 * 1024  # in base64; the API's own bound
MAXIMUM_CONTEXT_ITEMS = 1000

_PARTS_OF_ROLE: Mapping[str, tuple[str, ...]] = {
    "system": ("input_text",),
    "user": ("input_text", "input_audio"),
    "assistant": ("output_text", "output_audio"),
}

# ---- reading ------------------------------------------------------------------------------------


def read_item(wire: Fields, audio_format: AudioFormat) -> NewItem:
    """An item that the client made; its audio is of the session's input format.

    Raises `ProtocolError`.
    """
    item_id = wire.text("id", "") or new_id("item")
    kind = wire.choice("type", ("message", "function_call", "function_call_output"))
    if kind == "function_call_output":
        return FunctionOutputItem(item_id, wire.text("call_id"), wire.text("output"))
    if kind == "function_call":
        call_id = wire.text("call_id", "") or new_id("call")
        return FunctionCallItem(item_id, call_id, wire.text("name"), wire.text("arguments"))
    return _read_message(item_id, wire, audio_format)


def read_context(
    response: Fields, audio_format: AudioFormat
) -> tuple[NewItem | ItemReference, ...]:
    """The `input` of a `response.create`: items, and references to those of the conversation.

    Raises `ProtocolError`.
    """
    items: list[NewItem | ItemReference] = []
    for wire in response.objects("input"):
        if len(items) == MAXIMUM_CONTEXT_ITEMS:
            raise invalid("response.input", "more", f"at most {MAXIMUM_CONTEXT_ITEMS} items")
        if wire.required("type") == "item_reference":
            items.append(ItemReference(wire.text("id")))
        else:
            items.append(read_item(wire, audio_format))
    return tuple(items)


def read_audio(encoded: str, path: str, audio_format: AudioFormat) -> Samples:
    """Base64 of this format as float32[n]. Raises `ProtocolError`."""
    if len(encoded) > MAXIMUM_AUDIO_CHARACTERS:
        allowed = f"at most {MAXIMUM_AUDIO_CHARACTERS} characters; send it in parts"
        raise invalid(path, f"{len(encoded)} characters", allowed)
    try:
        data = pybase64.b64decode(encoded, validate=True)
    except ValueError as error:
        raise invalid(path, encoded, f"base64 ({error})") from error
    return decode_audio(audio_format, data)


def _read_message(item_id: str, wire: Fields, audio_format: AudioFormat) -> NewItem:
    role = wire.choice("role", tuple(_PARTS_OF_ROLE))
    texts: list[str] = []
    recordings: list[Samples] = []
    spoken = False
    for part in wire.objects("content"):
        kind = part.choice("type", _PARTS_OF_ROLE[role])
        spoken = spoken or kind in ("input_audio", "output_audio")
        if kind == "input_audio" and part.has("audio"):
            audio = read_audio(part.text("audio"), f"{part.path}.audio", audio_format)
            recordings.append(audio)
        else:
            texts.append(_text_of(part, kind))
    text = " ".join(texts)
    if recordings:
        samples = np.concatenate(recordings)
        return RecordedItem(item_id, text, samples, audio_format.rate_hz)
    return MessageItem(item_id, role, text, spoken=spoken)  # type: ignore[arg-type]


def _text_of(part: Fields, kind: str) -> str:
    """What stands in a part: typed, or the words of a recording that the client keeps."""
    if kind in ("input_text", "output_text"):
        return part.text("text")
    if not part.has("transcript"):
        raise ProtocolError(
            f"'{part.path}' has neither audio nor a transcript that could be read.",
            code="missing_required_parameter",
            param=f"{part.path}.transcript",
        )
    return part.text("transcript")


# ---- writing ------------------------------------------------------------------------------------


def item_to_wire(item: Item) -> Wire:
    """An item as the client is told it, without its audio."""
    status = "completed"
    match item:
        case MessageItem():
            return message_to_wire(item.id, item.role, [_content_of(item)], status)
        case FunctionCallItem():
            status = item.status
            wire = {"type": "function_call", "name": item.name, "arguments": item.arguments}
        case FunctionOutputItem():
            wire = {"type": "function_call_output", "output": item.output}
    return {
        "id": item.id,
        "object": "realtime.item",
        "status": status,
        "call_id": item.call_id,
        **wire,
    }


def message_to_wire(item_id: str, role: str, content: Sequence[Wire], status: str) -> Wire:
    """A message item with these parts."""
    return {
        "id": item_id,
        "object": "realtime.item",
        "type": "message",
        "status": status,
        "role": role,
        "content": list(content),
    }


def spoken_content(role: str, text: str | None) -> Wire:
    """The part of a message that was said aloud."""
    kind = "output_audio" if role == "assistant" else "input_audio"
    return {"type": kind, "transcript": text}


def written_content(role: str, text: str | None) -> Wire:
    """The part of a message that was typed."""
    kind = "output_text" if role == "assistant" else "input_text"
    return {"type": kind, "text": text}


def _content_of(item: MessageItem) -> Wire:
    content = spoken_content if item.spoken else written_content
    return content(item.role, item.text)
