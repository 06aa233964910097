"""Events as an OpenAI Realtime client expects them.

One event of the session becomes one or several on the wire. The encoder remembers what the wire
needs and the session does not: the order of the items, and the answers that are being made.
"""

from collections.abc import Callable
from typing import Any

from engines.errors import EngineError, TinigError
from server.conversation.aside import MAXIMUM_ASIDES
from server.events import (
    AnswerAudio,
    AnswerHeld,
    AnswerStarted,
    AnswerText,
    AudioCleared,
    AudioCommitted,
    Beside,
    CallEnded,
    Event,
    Failed,
    FunctionArguments,
    FunctionCalled,
    HandoverOffered,
    InterruptionJudged,
    ItemAdded,
    ItemDeleted,
    ItemRetrieved,
    ItemTruncated,
    PartialTranscript,
    ResponseFinished,
    ResponseStarted,
    SettingsUpdated,
    SilenceTimedOut,
    SpeechStarted,
    SpeechStopped,
    StateChanged,
    Transcribed,
    TranscriptionFailed,
    TurnFinished,
)
from server.items import ROOT, MessageItem
from server.protocol.realtime_audio import write_audio
from server.protocol.realtime_items import item_to_wire
from server.protocol.realtime_responses import ResponseEncoder
from server.protocol.realtime_session import to_wire
from server.protocol.realtime_table import Wire, event, extension_event
from server.settings import Settings

_LIMIT = 1 + MAXIMUM_ASIDES  # answers that may be made at once


class Encoder:
    """Encodes one session's events."""

    def __init__(self, session_id: str, settings: Settings) -> None:
        self._session_id = session_id
        self._settings = settings
        self._item_ids: list[str] = []  # of the conversation, in order
        self._response: ResponseEncoder | None = None  # the conversation's, that is being made
        self._beside: dict[str, ResponseEncoder] = {}
        self._encoders: dict[type, Callable[[Any], list[Wire]]] = {
            SettingsUpdated: self._settings_updated,
            SpeechStarted: self._speech_started,
            SpeechStopped: self._speech_stopped,
            SilenceTimedOut: self._timed_out,
            AudioCommitted: self._committed,
            AudioCleared: lambda _: [event("input_audio_buffer.cleared")],
            ItemAdded: self._item_added,
            ItemRetrieved: self._retrieved,
            ItemDeleted: self._deleted,
            ItemTruncated: self._truncated,
            PartialTranscript: self._partial,
            Transcribed: self._transcribed,
            TranscriptionFailed: self._transcription_failed,
            TurnFinished: lambda told: self._extension("turn", turn=told.record.to_wire()),
            StateChanged: lambda told: self._extension("state", state=told.state.value),
            AnswerHeld: self._held,
            InterruptionJudged: self._judged,
            HandoverOffered: lambda _: self._extension("handover"),
            CallEnded: lambda _: [],
            Failed: self._failed,
        }

    def created(self) -> Wire:
        """The first event of a session."""
        return event("session.created", session=to_wire(self._settings, self._session_id))

    def encode(self, told: Event) -> list[Wire | bytes]:
        """What to send for one event, in order; bytes are a binary message."""
        match told:
            case Beside(event=HandoverOffered()):
                return []
            case Beside(response_id=response_id, event=ResponseStarted() as started):
                self._beside[response_id] = response = ResponseEncoder(started, None, self._append)
                return [*response.encode(started), self._limits()]
            case Beside(response_id=response_id, event=ResponseFinished() as finished):
                return self._beside.pop(response_id).encode(finished)
            case Beside(response_id=response_id, event=part):
                return self._beside[response_id].encode(part)
            case ResponseStarted():
                conversation_id = self._session_id.replace("sess", "conv")
                self._response = ResponseEncoder(told, conversation_id, self._append)
                return [*self._response.encode(told), self._limits()]
            case ResponseFinished():
                response, self._response = self._running(), None
                return response.encode(told)
            case (
                AnswerStarted()
                | AnswerText()
                | AnswerAudio()
                | FunctionArguments()
                | FunctionCalled()
            ):
                return self._running().encode(told)
        return list(self._encoders[type(told)](told))

    # ---- the session and the caller -------------------------------------------------------------

    def _settings_updated(self, told: SettingsUpdated) -> list[Wire]:
        self._settings = told.settings
        return [event("session.updated", session=to_wire(told.settings, self._session_id))]

    def _speech_started(self, told: SpeechStarted) -> list[Wire]:
        at = {"item_id": told.item_id, "audio_start_ms": told.at_ms}
        return [event("input_audio_buffer.speech_started", **at)]

    def _speech_stopped(self, told: SpeechStopped) -> list[Wire]:
        at = {"item_id": told.item_id, "audio_end_ms": told.at_ms}
        return [event("input_audio_buffer.speech_stopped", **at)]

    def _timed_out(self, told: SilenceTimedOut) -> list[Wire]:
        at = {"audio_start_ms": told.start_ms, "audio_end_ms": told.end_ms}
        return [event("input_audio_buffer.timeout_triggered", item_id=told.item_id, **at)]

    def _committed(self, told: AudioCommitted) -> list[Wire]:
        previous = self._item_ids[-1] if self._item_ids else None
        kind = "input_audio_buffer.committed"
        return [event(kind, item_id=told.item_id, previous_item_id=previous)]

    def _item_added(self, told: ItemAdded) -> list[Wire]:
        fields = {
            "item": item_to_wire(told.item),
            "previous_item_id": self._insert(told.item.id, told.previous_item_id),
        }
        return [
            event("conversation.item.added", **fields),
            event("conversation.item.done", **fields),
        ]

    def _retrieved(self, told: ItemRetrieved) -> list[Wire]:
        item = item_to_wire(told.item)
        if told.pcm is not None and isinstance(told.item, MessageItem):
            is_answer = told.item.role == "assistant"
            side = self._settings.output_format if is_answer else self._settings.input_format
            item["content"][0]["audio"] = write_audio(side, told.pcm)
        return [event("conversation.item.retrieved", item=item)]

    def _deleted(self, told: ItemDeleted) -> list[Wire]:
        if told.item_id in self._item_ids:
            self._item_ids.remove(told.item_id)
        return [event("conversation.item.deleted", item_id=told.item_id)]

    def _truncated(self, told: ItemTruncated) -> list[Wire]:
        fields = {"item_id": told.item_id, "content_index": 0, "audio_end_ms": told.audio_end_ms}
        return [event("conversation.item.truncated", **fields)]

    def _partial(self, told: PartialTranscript) -> list[Wire]:
        return self._transcription("delta", told.item_id, delta=told.delta)

    def _transcribed(self, told: Transcribed) -> list[Wire]:
        languages = sorted(
            told.language_probabilities, key=lambda code: -told.language_probabilities[code]
        )
        return self._transcription(
            "completed",
            told.item_id,
            transcript=told.text,
            languages=[{"code": code} for code in languages[:1]],
            usage={"type": "duration", "seconds": round(told.audio_seconds, 3)},
        )

    def _transcription_failed(self, told: TranscriptionFailed) -> list[Wire]:
        if not self._settings.transcription:
            return self._failed(Failed(told.error))
        return self._transcription("failed", told.item_id, error=_error_to_wire(told.error))

    def _transcription(self, kind: str, item_id: str, **fields: object) -> list[Wire]:
        if not self._settings.transcription:
            return []
        name = f"conversation.item.input_audio_transcription.{kind}"
        return [event(name, item_id=item_id, content_index=0, **fields)]

    def _held(self, told: AnswerHeld) -> list[Wire]:
        return self._extension("playback", action="pause" if told.is_held else "resume")

    def _judged(self, told: InterruptionJudged) -> list[Wire]:
        return self._extension("interruption", interruption=dict(told.record))

    def _extension(self, kind: str, **fields: object) -> list[Wire]:
        """An event of ours, for a client that asked for its kind."""
        if kind not in self._settings.extension_events:
            return []
        return [extension_event(kind, **fields)]

    def _failed(self, told: Failed) -> list[Wire]:
        return [event("error", error=_error_to_wire(told.error, told.client_event_id))]

    # ---- what the wire needs and the session does not ------------------------------------------

    def _running(self) -> ResponseEncoder:
        if self._response is None:
            raise AssertionError("a part of an answer came without its response")
        return self._response

    def _limits(self) -> Wire:
        """No quota is kept here: what is limited is how many answers are made at once."""
        running = len(self._beside) + (self._response is not None)
        limit = {"name": "requests", "limit": _LIMIT, "remaining": _LIMIT - running}
        return event("rate_limits.updated", rate_limits=[{**limit, "reset_seconds": 0.0}])

    def _append(self, item_id: str) -> str | None:
        return self._insert(item_id, None)

    def _insert(self, item_id: str, previous_item_id: str | None) -> str | None:
        """Put an item into the order; the item before it, if there is one."""
        at = len(self._item_ids)
        if previous_item_id == ROOT:
            at = 0
        elif previous_item_id in self._item_ids:
            at = self._item_ids.index(previous_item_id) + 1
        self._item_ids.insert(at, item_id)
        return self._item_ids[at - 1] if at else None


def _error_to_wire(error: TinigError, client_event_id: str | None = None) -> Wire:
    kind = "server_error" if isinstance(error, EngineError) else "invalid_request_error"
    return {
        "type": kind,
        "code": error.code,
        "message": str(error),
        "param": getattr(error, "param", None),
        "event_id": client_event_id,
    }
