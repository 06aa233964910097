"""What a client asks of its session. The wire's protocols translate their messages to these."""

from dataclasses import dataclass

from server.audio import Samples
from server.items import ItemReference, NewItem
from server.settings import Settings


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
