"""Events as an OpenAI Realtime client expects them.

One event of the session becomes one or several on the wire. The encoder remembers what the wire
needs and the session does not: the order of the items and what the running response holds so far.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from engines.errors import EngineError, TinigError
from server.audio import encode_pcm16
from server.events import (
    AnswerAudio,
    AnswerHeld,
    AnswerStarted,
    AnswerText,
    AudioCleared,
    AudioCommitted,
    CallEnded,
    Event,
    Failed,
    FunctionCalled,
    FunctionCallItem,
    FunctionOutputItem,
    HandoverOffered,
    InterruptionJudged,
    Item,
    ItemAdded,
    ItemTruncated,
    MessageItem,
    PartialTranscript,
    ResponseFinished,
    ResponseStarted,
    SettingsUpdated,
    SpeechStarted,
    SpeechStopped,
    StateChanged,
    Transcribed,
    TranscriptionFailed,
    TurnFinished,
)
from server.ids import new_id
from server.protocol.realtime_settings import to_wire
from server.settings import Settings

Wire = dict[str, Any]


@dataclass(slots=True)
class _Response:
    """The running response, as the wire tells it."""

    id: str
    modality: str
    output: list[Wire] = field(default_factory=list)  # items that are whole
    item_id: str | None = None  # the message that is being spoken
    previous_item_id: str | None = None  # what stands before it
    text: str = ""


class Encoder:
    """Encodes one session's events."""

    def __init__(self, session_id: str, settings: Settings) -> None:
        self._session_id = session_id
        self._settings = settings
        self._last_item_id: str | None = None
        self._response: _Response | None = None
        self._encoders: dict[type, Callable[[Any], list[Wire]]] = {
            SettingsUpdated: self._settings_updated,
            SpeechStarted: self._speech_started,
            SpeechStopped: self._speech_stopped,
            AudioCommitted: self._committed,
            AudioCleared: self._cleared,
            ItemAdded: self._item_added,
            ItemTruncated: self._truncated,
            PartialTranscript: self._partial,
            Transcribed: self._transcribed,
            TranscriptionFailed: self._transcription_failed,
            ResponseStarted: self._response_started,
            AnswerStarted: self._answer_started,
            AnswerText: self._answer_text,
            AnswerAudio: self._answer_audio,
            FunctionCalled: self._function_called,
            ResponseFinished: self._response_finished,
            TurnFinished: self._turn_finished,
            StateChanged: lambda event: self._extension("state", state=event.state.value),
            AnswerHeld: self._held,
            InterruptionJudged: self._judged,
            HandoverOffered: lambda _: self._extension("handover"),
            CallEnded: lambda _: [],
            Failed: self._failed,
        }

    def created(self) -> Wire:
        """The first event of a session."""
        return _event("session.created", session=to_wire(self._settings, self._session_id))

    def encode(self, event: Event) -> list[Wire]:
        """What to send for one event, in order."""
        return self._encoders[type(event)](event)

    # ---- the session and the caller -------------------------------------------------------------

    def _settings_updated(self, event: SettingsUpdated) -> list[Wire]:
        self._settings = event.settings
        return [_event("session.updated", session=to_wire(event.settings, self._session_id))]

    def _speech_started(self, event: SpeechStarted) -> list[Wire]:
        return [
            _event(
                "input_audio_buffer.speech_started",
                audio_start_ms=event.at_ms,
                item_id=event.item_id,
            )
        ]

    def _speech_stopped(self, event: SpeechStopped) -> list[Wire]:
        return [
            _event(
                "input_audio_buffer.speech_stopped", audio_end_ms=event.at_ms, item_id=event.item_id
            )
        ]

    def _committed(self, event: AudioCommitted) -> list[Wire]:
        return [
            _event(
                "input_audio_buffer.committed",
                item_id=event.item_id,
                previous_item_id=self._last_item_id,
            )
        ]

    def _cleared(self, event: AudioCleared) -> list[Wire]:
        return [_event("input_audio_buffer.cleared")]

    def _item_added(self, event: ItemAdded) -> list[Wire]:
        item = _item_to_wire(event.item)
        previous = self._append(event.item.id)
        return [
            _event("conversation.item.added", item=item, previous_item_id=previous),
            _event("conversation.item.done", item=item, previous_item_id=previous),
        ]

    def _truncated(self, event: ItemTruncated) -> list[Wire]:
        return [
            _event(
                "conversation.item.truncated",
                item_id=event.item_id,
                content_index=0,
                audio_end_ms=event.audio_end_ms,
            )
        ]

    def _partial(self, event: PartialTranscript) -> list[Wire]:
        return self._transcription("delta", event.item_id, delta=event.delta)

    def _transcribed(self, event: Transcribed) -> list[Wire]:
        languages = sorted(
            event.language_probabilities, key=lambda code: -event.language_probabilities[code]
        )
        return self._transcription(
            "completed",
            event.item_id,
            transcript=event.text,
            languages=[{"code": code} for code in languages[:1]],
            usage={"type": "duration", "seconds": round(event.audio_seconds, 3)},
        )

    def _transcription_failed(self, event: TranscriptionFailed) -> list[Wire]:
        return self._transcription("failed", event.item_id, error=_error_to_wire(event.error))

    def _transcription(self, kind: str, item_id: str, **fields: object) -> list[Wire]:
        if not self._settings.transcription:
            return []
        name = f"conversation.item.input_audio_transcription.{kind}"
        return [_event(name, item_id=item_id, content_index=0, **fields)]

    # ---- the answer -----------------------------------------------------------------------------

    def _response_started(self, event: ResponseStarted) -> list[Wire]:
        self._response = _Response(event.response_id, self._settings.output_modality)
        return [_event("response.created", response=self._response_to_wire("in_progress"))]

    def _answer_started(self, event: AnswerStarted) -> list[Wire]:
        response = self._running()
        response.item_id = event.item_id
        response.previous_item_id = previous = self._append(event.item_id)
        item = _message_to_wire(event.item_id, "assistant", [], "in_progress")
        return [
            self._part("response.output_item.added", item=item),
            _event("conversation.item.added", item=item, previous_item_id=previous),
            self._part("response.content_part.added", **self._content(), part=self._part_body("")),
        ]

    def _answer_text(self, event: AnswerText) -> list[Wire]:
        response = self._running()
        response.text += event.text
        kind = "output_text" if response.modality == "text" else "output_audio_transcript"
        return [self._part(f"response.{kind}.delta", **self._content(), delta=event.text)]

    def _answer_audio(self, event: AnswerAudio) -> list[Wire]:
        audio = base64.b64encode(encode_pcm16(event.samples)).decode("ascii")
        return [self._part("response.output_audio.delta", **self._content(), delta=audio)]

    def _function_called(self, event: FunctionCalled) -> list[Wire]:
        call = event.item
        previous = self._append(call.id)
        begun = _item_to_wire(FunctionCallItem(call.id, call.call_id, call.name, ""), "in_progress")
        item = _item_to_wire(call)
        at = {"item_id": call.id, "call_id": call.call_id}
        done = "response.function_call_arguments.done"
        wires = [
            self._part("response.output_item.added", item=begun),
            _event("conversation.item.added", item=begun, previous_item_id=previous),
            self._part("response.function_call_arguments.delta", **at, delta=call.arguments),
            self._part(done, **at, name=call.name, arguments=call.arguments),
            _event("conversation.item.done", item=item, previous_item_id=previous),
            self._part("response.output_item.done", item=item),
        ]
        self._running().output.append(item)
        return wires

    def _response_finished(self, event: ResponseFinished) -> list[Wire]:
        status = "completed" if event.status == "completed" else "incomplete"
        wires = self._finish_message(status)
        details: Wire = {"type": event.status}
        if event.reason is not None:
            details["reason"] = event.reason
        if event.error is not None:
            details["error"] = {"type": "server_error", "code": event.error.code}
        response = self._response_to_wire(event.status, details)
        response["usage"] = {
            "input_tokens": event.prompt_tokens,
            "output_tokens": event.generated_tokens,
            "total_tokens": event.prompt_tokens + event.generated_tokens,
        }
        self._response = None
        return [*wires, _event("response.done", response=response)]

    def _finish_message(self, status: str) -> list[Wire]:
        """The events that end the message that is being spoken, if there is one."""
        response = self._running()
        if response.item_id is None:
            return []
        part = self._part_body(response.text)
        kind = "output_text" if response.modality == "text" else "output_audio"
        content = {"type": kind, "text" if kind == "output_text" else "transcript": response.text}
        item = _message_to_wire(response.item_id, "assistant", [content], status)
        at = self._content()
        if response.modality == "text":
            ends = [self._part("response.output_text.done", **at, text=response.text)]
        else:
            ends = [
                self._part("response.output_audio.done", **at),
                self._part("response.output_audio_transcript.done", **at, transcript=response.text),
            ]
        wires = [
            *ends,
            self._part("response.content_part.done", **at, part=part),
            _event("conversation.item.done", item=item, previous_item_id=response.previous_item_id),
            self._part("response.output_item.done", item=item),
        ]
        response.output.append(item)
        response.item_id = None
        return wires

    def _turn_finished(self, event: TurnFinished) -> list[Wire]:
        return self._extension("turn", turn=event.record.to_wire())

    def _held(self, event: AnswerHeld) -> list[Wire]:
        return self._extension("playback", action="pause" if event.is_held else "resume")

    def _judged(self, event: InterruptionJudged) -> list[Wire]:
        return self._extension("interruption", interruption=dict(event.record))

    def _extension(self, kind: str, **fields: object) -> list[Wire]:
        """An event of ours, for a client that asked for its kind."""
        if kind not in self._settings.extension_events:
            return []
        return [_event(f"tinig.{kind}", **fields)]

    def _failed(self, event: Failed) -> list[Wire]:
        return [_event("error", error=_error_to_wire(event.error, event.client_event_id))]

    # ---- parts of events ------------------------------------------------------------------------

    def _append(self, item_id: str) -> str | None:
        previous, self._last_item_id = self._last_item_id, item_id
        return previous

    def _running(self) -> _Response:
        if self._response is None:
            raise AssertionError("a part of an answer came without its response")
        return self._response

    def _part(self, kind: str, **fields: object) -> Wire:
        response = self._running()
        at = {"response_id": response.id, "output_index": len(response.output)}
        return _event(kind, **at, **fields)

    def _content(self) -> Wire:
        return {"item_id": self._running().item_id, "content_index": 0}

    def _part_body(self, text: str) -> Wire:
        if self._running().modality == "text":
            return {"type": "text", "text": text}
        return {"type": "audio", "transcript": text}

    def _response_to_wire(self, status: str, details: Wire | None = None) -> Wire:
        response = self._running()
        return {
            "object": "realtime.response",
            "id": response.id,
            "status": status,
            "status_details": details,
            "output": response.output,
            "output_modalities": [response.modality],
            "conversation_id": self._session_id.replace("sess", "conv"),
            "max_output_tokens": self._settings.max_output_tokens or "inf",
            "metadata": None,
            "usage": None,
        }


def _event(kind: str, **fields: object) -> Wire:
    return {"type": kind, "event_id": new_id("event"), **fields}


def _error_to_wire(error: TinigError, client_event_id: str | None = None) -> Wire:
    kind = "server_error" if isinstance(error, EngineError) else "invalid_request_error"
    return {
        "type": kind,
        "code": error.code,
        "message": str(error),
        "param": getattr(error, "param", None),
        "event_id": client_event_id,
    }


def _item_to_wire(item: Item, status: str = "completed") -> Wire:
    match item:
        case MessageItem():
            return _message_to_wire(item.id, item.role, [_content_of(item)], status)
        case FunctionCallItem():
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


def _content_of(item: MessageItem) -> Wire:
    if item.spoken:
        return {"type": "input_audio", "transcript": item.text}
    kind = "output_text" if item.role == "assistant" else "input_text"
    return {"type": kind, "text": item.text}


def _message_to_wire(item_id: str, role: str, content: list[Wire], status: str) -> Wire:
    return {
        "id": item_id,
        "object": "realtime.item",
        "type": "message",
        "status": status,
        "role": role,
        "content": content,
    }
