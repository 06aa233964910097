"""Every event that a Realtime client can be sent, and what it tells; `docs/protocol.md` shows it.

An event that stands in neither table cannot be made.
"""

from collections.abc import Mapping
from typing import Any

from server.ids import new_id

Wire = dict[str, Any]

SERVER_EVENTS: Mapping[str, str] = {
    "error": "Something did not work. Names the field, says what to do, and carries the "
    "`event_id` of the client's event that it answers. The session lives on.",
    "session.created": "The first event of a session: all of its configuration.",
    "session.updated": "The whole effective configuration, defaults included.",
    "conversation.item.added": "An item has entered the conversation, after `previous_item_id`.",
    "conversation.item.done": "The item is whole.",
    "conversation.item.retrieved": "How an item stands, with its audio where it has "
    "some: that of the newest items is kept, a minute in all (`conversation.kept_audio_seconds`), "
    "and of an answer that was cut only what was heard.",
    "conversation.item.deleted": "The item has left the conversation.",
    "conversation.item.truncated": "The answer now ends, for the model too, with the last word "
    "that was heard whole.",
    "conversation.item.input_audio_transcription.delta": "Words of the caller that are certain, "
    "while they still speak.",
    "conversation.item.input_audio_transcription.completed": "What the caller said, in which "
    "language (`languages`), and how long it was (`usage`).",
    "conversation.item.input_audio_transcription.failed": "The speech could not be transcribed.",
    "input_audio_buffer.speech_started": "The caller has the floor.",
    "input_audio_buffer.speech_stopped": "The caller's turn has ended.",
    "input_audio_buffer.timeout_triggered": "The caller has been silent for `idle_timeout_ms`, "
    "and is spoken to.",
    "input_audio_buffer.committed": "The caller's audio has become an item.",
    "input_audio_buffer.cleared": "The caller's audio since the last turn is forgotten.",
    "response.created": "An answer begins; it tells the settings that it is made by.",
    "rate_limits.updated": "How many responses may still be begun at once in this session.",
    "response.output_item.added": "A message or a function call of the answer begins.",
    "response.content_part.added": "The message has words.",
    "response.output_audio_transcript.delta": "The next words, sent with their audio.",
    "response.output_audio.delta": "The next audio in base64, 40 ms or less, sent a little ahead "
    "of its time.",
    "response.output_text.delta": "The next words of an answer in text.",
    "response.output_audio.done": "The audio of the message is whole.",
    "response.output_audio_transcript.done": "The words of the message.",
    "response.output_text.done": "The text of the message.",
    "response.content_part.done": "The part is whole.",
    "response.function_call_arguments.delta": "The next characters of a call's arguments, as the "
    "model writes them.",
    "response.function_call_arguments.done": "The arguments, as a JSON object in a string.",
    "response.output_item.done": "The item is whole, or will never be (`status`).",
    "response.done": "The answer's end: `status`, why (`status_details`), output and usage. "
    "Exactly one for every `response.created`.",
}

EXTENSION_EVENTS: Mapping[str, str] = {
    "state": "Whose turn it is: one of the six states of the machine, whenever it changes.",
    "turn": "The record of a turn: its language, and when each of its milestones came.",
    "interruption": "What a sound of the caller over an answer was, and how that was found out.",
    "playback": "`pause`: be silent at once, and keep what was not played; `resume`: go on.",
    "handover": "The caller was not understood several times in a row, and was offered a person.",
}


def event(kind: str, **fields: object) -> Wire:
    """A server event of the API. Raises `KeyError` for one that is in no table."""
    if kind not in SERVER_EVENTS:
        raise KeyError(kind)
    return {"type": kind, "event_id": new_id("event"), **fields}


def extension_event(kind: str, **fields: object) -> Wire:
    """An event of ours. Raises `KeyError` for one that is in no table."""
    if kind not in EXTENSION_EVENTS:
        raise KeyError(kind)
    return {"type": f"tinig.{kind}", "event_id": new_id("event"), **fields}
