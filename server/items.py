"""The items of a conversation: what was said, typed, called and given back.

A session keeps them, a client puts them in and asks for them; none knows the wire.
"""

from dataclasses import dataclass
from typing import Literal

from server.audio import Samples

MAXIMUM_RECORDING_SECONDS = 120.0  # of what is transcribed as a whole


@dataclass(frozen=True, slots=True)
class MessageItem:
    """Something said or typed. `text` is None while speech is still being transcribed."""

    id: str
    role: Literal["system", "user", "assistant"]
    text: str | None
    spoken: bool = False
    is_cut: bool = False  # an answer that was interrupted: `text` is what was heard of it

    @property
    def characters(self) -> int:
        """How long it is, its id with it."""
        return len(self.id) + len(self.text or "")


@dataclass(frozen=True, slots=True)
class FunctionCallItem:
    """The model wants the client to run a function. `arguments` is JSON, once it is completed."""

    id: str
    call_id: str
    name: str
    arguments: str
    status: Literal["in_progress", "completed", "incomplete"] = "completed"

    @property
    def characters(self) -> int:
        """How long it is, its ids with it."""
        return len(self.id) + len(self.call_id) + len(self.name) + len(self.arguments)


@dataclass(frozen=True, slots=True)
class FunctionOutputItem:
    """What the client's function gave back."""

    id: str
    call_id: str
    output: str

    @property
    def characters(self) -> int:
        """How long it is, its ids with it."""
        return len(self.id) + len(self.call_id) + len(self.output)


Item = MessageItem | FunctionCallItem | FunctionOutputItem


@dataclass(frozen=True, slots=True)
class RecordedItem:
    """A message of the user that a client sends as a recording: transcribed, it is a message."""

    id: str
    text: str  # what was typed before it
    samples: Samples  # mono, at `rate_hz`
    rate_hz: int

    @property
    def seconds(self) -> float:
        """How long it sounds."""
        return len(self.samples) / self.rate_hz

    @property
    def characters(self) -> int:
        """How long what was typed is, and its id."""
        return len(self.id) + len(self.text)


@dataclass(frozen=True, slots=True)
class ItemReference:
    """An item that is in the conversation already, by its id."""

    id: str


NewItem = Item | RecordedItem
ROOT = "root"  # as a previous item: before all others
