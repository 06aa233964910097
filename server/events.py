"""What crosses the border between a session and its protocol.

Commands come in from the client, events go out to it. Neither knows the wire: the OpenAI Realtime
protocol and a telephone's both translate from and to these. An event that belongs to a turn carries
the turn's epoch; one with `epoch` None belongs to the session and always passes the outbox.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from engines.errors import TinigError
from server.conversation.machine import State
from server.language.spoken import Spoken
from server.metrics import TurnRecord
from server.settings import Settings

Samples = npt.NDArray[np.float32]
Status = Literal["completed", "cancelled", "failed", "incomplete"]
Reason = Literal["turn_detected", "client_cancelled", "max_output_tokens"]

# ---- the conversation's items -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MessageItem:
    """Something said or typed. `text` is None while speech is still being transcribed."""

    id: str
    role: Literal["system", "user", "assistant"]
    text: str | None
    spoken: bool = False
    is_cut: bool = False  # an answer that was interrupted: `text` is what was heard of it


@dataclass(frozen=True, slots=True)
class FunctionCallItem:
    """The model wants the client to run a function. `arguments` is JSON."""

    id: str
    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class FunctionOutputItem:
    """What the client's function gave back."""

    id: str
    call_id: str
    output: str


Item = MessageItem | FunctionCallItem | FunctionOutputItem


@dataclass(frozen=True, slots=True)
class RecordedItem:
    """A message of the user that a client sends as a recording: transcribed, it is a message."""

    id: str
    text: str  # what was typed before it
    samples: Samples  # mono, at `rate_hz`
    rate_hz: int


@dataclass(frozen=True, slots=True)
class ItemReference:
    """An item that is in the conversation already, by its id."""

    id: str


NewItem = Item | RecordedItem
ROOT = "root"  # as a previous item: before all others

# ---- commands, from the client ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class UpdateSettings:
    """The session's settings from now on."""

    settings: Settings


@dataclass(frozen=True, slots=True)
class AppendAudio:
    """Audio of the caller: float32 in [-1, 1], mono, at the rate of `settings.input_format`."""

    samples: Samples


@dataclass(frozen=True, slots=True)
class CommitAudio:
    """Push to talk: the caller has finished."""


@dataclass(frozen=True, slots=True)
class ClearAudio:
    """Forget what the caller said since the last turn."""


@dataclass(frozen=True, slots=True)
class CreateItem:
    """Put an item into the conversation: after this one, after `ROOT`, or after all others."""

    item: NewItem
    previous_item_id: str | None = None


@dataclass(frozen=True, slots=True)
class RetrieveItem:
    """Tell how this item stands in the conversation."""

    item_id: str


@dataclass(frozen=True, slots=True)
class DeleteItem:
    """Take this item out of the conversation."""

    item_id: str


@dataclass(frozen=True, slots=True)
class TruncateItem:
    """The caller has heard only the first `audio_end_ms` of this answer."""

    item_id: str
    audio_end_ms: int


@dataclass(frozen=True, slots=True)
class CreateResponse:
    """Answer now: by the session's settings or others, to the conversation or to other items."""

    settings: Settings | None = None
    context: tuple[NewItem | ItemReference, ...] | None = None  # None: the conversation
    is_beside: bool = False  # the answer is no part of the conversation


@dataclass(frozen=True, slots=True)
class CancelResponse:
    """Stop answering. `response_id` None: whatever is in progress."""

    response_id: str | None = None


@dataclass(frozen=True, slots=True)
class AudioPlayed:
    """The line has played the next `AnswerAudio` of this epoch to its end."""

    epoch: int


@dataclass(frozen=True, slots=True)
class KeysPressed:
    """The caller has typed these on a telephone's keypad: digits and stars."""

    keys: str


@dataclass(frozen=True, slots=True)
class Named:
    """A command with the client's own name for it, which an error that answers it carries."""

    command: "Command"
    event_id: str | None


Command = (
    UpdateSettings
    | AppendAudio
    | CommitAudio
    | ClearAudio
    | CreateItem
    | RetrieveItem
    | DeleteItem
    | TruncateItem
    | CreateResponse
    | CancelResponse
    | AudioPlayed
    | KeysPressed
    | Named
)

# ---- events, to the client ----------------------------------------------------------------------


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
    """How an item stands in the conversation."""

    item: Item
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
    """The next audio of the answer: float32 in [-1, 1] at `settings.output_format`'s rate."""

    samples: Samples
    rate_hz: int
    epoch: int | None

    @property
    def seconds(self) -> float:
        """How long it plays."""
        return len(self.samples) / self.rate_hz


@dataclass(frozen=True, slots=True)
class FunctionCalled:
    """The answer asks the client to run a function."""

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
