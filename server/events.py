"""What a session tells its client. The wire's protocols translate these to their messages.

An event that belongs to a turn carries the turn's epoch; one with `epoch` None belongs to the
session and always passes the outbox.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from engines.errors import TinigError
from server.audio import Pcm
from server.conversation.machine import State
from server.items import FunctionCallItem, Item
from server.language.spoken import Spoken
from server.metrics import TurnRecord
from server.settings import Settings

Status = Literal["completed", "cancelled", "failed", "incomplete"]
Reason = Literal["turn_detected", "client_cancelled", "max_output_tokens"]


@dataclass(frozen=True, slots=True)
class SettingsUpdated:
    """The settings that hold now."""

    settings: Settings
    epoch: None = None


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The caller began to speak, at this audio time of the session."""

    item_id: str
    at_ms: int
    epoch: None = None


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """The caller's turn has ended, at this audio time of the session."""

    item_id: str
    at_ms: int
    epoch: None = None


@dataclass(frozen=True, slots=True)
class SilenceTimedOut:
    """The caller has been silent for so long that they are spoken to; audio time of the session."""

    item_id: str
    start_ms: int
    end_ms: int
    epoch: None = None


@dataclass(frozen=True, slots=True)
class AudioCommitted:
    """The caller's audio has become the item `item_id`."""

    item_id: str
    epoch: None = None


@dataclass(frozen=True, slots=True)
class AudioCleared:
    """The caller's audio since the last turn is forgotten."""

    epoch: None = None


@dataclass(frozen=True, slots=True)
class ItemAdded:
    """An item has entered the conversation: after this one, after `ROOT`, or after all others."""

    item: Item
    previous_item_id: str | None = None
    epoch: int | None = None


@dataclass(frozen=True, slots=True)
class ItemRetrieved:
    """How an item stands in the conversation, and its sound where that is kept."""

    item: Item
    pcm: Pcm | None = None  # at the rate of the side's format in the session's settings
    epoch: None = None


@dataclass(frozen=True, slots=True)
class ItemDeleted:
    """An item has left the conversation."""

    item_id: str
    epoch: None = None


@dataclass(frozen=True, slots=True)
class ItemTruncated:
    """The history now holds only what was heard of this answer."""

    item_id: str
    audio_end_ms: int
    epoch: None = None


@dataclass(frozen=True, slots=True)
class PartialTranscript:
    """Words that two transcriptions in a row agree upon, while the caller still speaks."""

    item_id: str
    delta: str
    epoch: None = None


@dataclass(frozen=True, slots=True)
class Transcribed:
    """What the caller said, in the end."""

    item_id: str
    text: str
    language_probabilities: Mapping[str, float]
    audio_seconds: float
    epoch: int | None


@dataclass(frozen=True, slots=True)
class TranscriptionFailed:
    """The caller's speech could not be transcribed."""

    item_id: str
    error: TinigError
    epoch: int | None


@dataclass(frozen=True, slots=True)
class ResponseStarted:
    """An answer begins, by these settings."""

    response_id: str
    settings: Settings
    epoch: int | None


@dataclass(frozen=True, slots=True)
class AnswerStarted:
    """The answer has words: the assistant's message `item_id` begins."""

    response_id: str
    item_id: str
    epoch: int | None


@dataclass(frozen=True, slots=True)
class AnswerText:
    """The next words of the answer, sent just before their audio."""

    text: str
    epoch: int | None
    spoken: Spoken | None = None  # how it is said; None: as it is written


@dataclass(frozen=True, slots=True)
class AnswerAudio:
    """The next audio of the answer: int16[n] at `settings.output_format`'s rate."""

    pcm: Pcm
    rate_hz: int
    epoch: int | None

    @property
    def seconds(self) -> float:
        """How long it plays."""
        return len(self.pcm) / self.rate_hz


@dataclass(frozen=True, slots=True)
class FunctionArguments:
    """The next characters of the arguments of a call that the answer will perhaps make."""

    response_id: str
    item_id: str
    call_id: str
    name: str
    delta: str
    epoch: int | None


@dataclass(frozen=True, slots=True)
class FunctionCalled:
    """The answer asks the client to run a function: the call is whole."""

    response_id: str
    item: FunctionCallItem
    epoch: int | None


@dataclass(frozen=True, slots=True)
class ResponseFinished:
    """The answer is whole, or will never be. Exactly one for every `ResponseStarted`."""

    response_id: str
    status: Status
    reason: Reason | None = None
    error: TinigError | None = None
    prompt_tokens: int = 0
    reused_tokens: int = 0  # of the prompt, that the model still remembered
    generated_tokens: int = 0
    epoch: int | None = None


@dataclass(frozen=True, slots=True)
class Beside:
    """A part of an answer that is no part of the conversation, and may come amid another's."""

    response_id: str
    event: "Event"
    epoch: None = None


@dataclass(frozen=True, slots=True)
class TurnFinished:
    """The latency record of a turn."""

    record: TurnRecord
    epoch: int | None = None


@dataclass(frozen=True, slots=True)
class StateChanged:
    """Whose turn it is from now on."""

    state: State
    epoch: None = None


@dataclass(frozen=True, slots=True)
class AnswerHeld:
    """The answer stops at once, or goes on, while it is found out what a sound of the caller is."""

    is_held: bool
    epoch: None = None


@dataclass(frozen=True, slots=True)
class InterruptionJudged:
    """What a sound of the caller over an answer was, and how that was found out."""

    record: Mapping[str, Any]
    epoch: None = None


@dataclass(frozen=True, slots=True)
class HandoverOffered:
    """The caller was not understood several times in a row, and was offered a person's help."""

    epoch: int | None


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The server hangs up: nobody has spoken for long."""

    epoch: None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """Something the client asked for, or the server tried, did not work. The session lives on."""

    error: TinigError
    client_event_id: str | None = None
    epoch: None = None


Event = (
    SettingsUpdated
    | SpeechStarted
    | SpeechStopped
    | SilenceTimedOut
    | AudioCommitted
    | AudioCleared
    | ItemAdded
    | ItemRetrieved
    | ItemDeleted
    | ItemTruncated
    | PartialTranscript
    | Transcribed
    | TranscriptionFailed
    | ResponseStarted
    | AnswerStarted
    | AnswerText
    | AnswerAudio
    | FunctionArguments
    | FunctionCalled
    | ResponseFinished
    | Beside
    | TurnFinished
    | StateChanged
    | AnswerHeld
    | InterruptionJudged
    | HandoverOffered
    | CallEnded
    | Failed
)
