"""What was said in a conversation, as the model sees it: what was heard, not what was generated."""

from dataclasses import replace
from math import ceil

from engines.llm import Message, ToolCall
from server.conversation.kept_audio import KeptAudio
from server.events import (
    AnswerAudio,
    AnswerStarted,
    AnswerText,
    Event,
    FunctionArguments,
    FunctionCalled,
    ItemAdded,
    ItemDeleted,
    ResponseFinished,
    ResponseStarted,
    Transcribed,
)
from server.items import ROOT, FunctionCallItem, FunctionOutputItem, Item, MessageItem

INTERRUPTED = "…"  # how the model is told that its words ended here for the caller


class History:
    """The items of one conversation, in order, and the sound of the newest."""

    def __init__(self, kept_audio_seconds: float = 0.0) -> None:
        self.audio = KeptAudio(kept_audio_seconds)
        self.items: dict[str, Item] = {}
        self._answer_id: str | None = None  # the assistant's message that is being spoken
        self._is_heard = True  # the answer is, rather than read
        self._call_id: str | None = None  # the item of the call that is being written

    def record(self, event: Event) -> None:
        """Take in what an event that is on its way to the client adds."""
        match event:
            case ItemAdded(item=item, previous_item_id=previous_item_id):
                self._insert(item, previous_item_id)
            case ItemDeleted(item_id=item_id):
                self.items.pop(item_id, None)
                self.audio.forget(item_id)
            case FunctionArguments() | FunctionCalled() | ResponseFinished():
                self._note_call(event)
            case ResponseStarted(settings=settings):
                self._is_heard = settings.output_modality == "audio"
            case AnswerStarted(item_id=item_id):
                self._answer_id = item_id
                self.items[item_id] = MessageItem(item_id, "assistant", "", spoken=self._is_heard)
            case AnswerText(text=text) if self._answer_id is not None:
                self._extend(self._answer_id, text)
            case AnswerAudio() if self._answer_id is not None:
                self.audio.add(self._answer_id, event.pcm, event.rate_hz)
            case Transcribed(item_id=item_id, text=text) if item_id in self.items:
                self.set_text(item_id, text)

    def set_text(self, item_id: str, text: str) -> None:
        """A message's words from now on. Raises `KeyError` for an item that is not there."""
        item = self.items[item_id]
        if isinstance(item, MessageItem):
            self.items[item_id] = replace(item, text=text)

    def cut(self, item_id: str, heard: str, heard_seconds: float) -> None:
        """An answer was interrupted after these words. Raises `KeyError`."""
        self.audio.cut(item_id, heard_seconds)
        item = self.items[item_id]
        if isinstance(item, MessageItem):
            is_cut = heard != (item.text or "").rstrip()  # a blank at the end is heard by nobody
            self.items[item_id] = replace(item, text=heard, is_cut=is_cut)

    def has_call(self, call_id: str) -> bool:
        """Whether the model has made this function call, and wholly."""
        calls = (item for item in self.items.values() if isinstance(item, FunctionCallItem))
        return any(call.call_id == call_id and call.status == "completed" for call in calls)

    @property
    def answer_id(self) -> str | None:
        """The newest message of the assistant."""
        return self._answer_id

    def messages(self, turns: int, *, without: str | None = None) -> list[Message]:
        """The last turns of the caller and what came of them, for the model: at most `turns`.

        The oldest are left out a quarter at a time, so that the prompts of the turns between begin
        alike, and what the model has read of them holds.

        Two messages of one speaker in a row become one, since chat templates expect the speakers
        to alternate. `without`: an item to leave out.
        """
        messages: list[Message] = []
        for item in self.items.values():
            if item.id != without:
                _append(messages, item)
        return _last_turns(messages, turns)

    def _insert(self, item: Item, previous_item_id: str | None) -> None:
        if previous_item_id is None:
            self.items[item.id] = item
            return
        items = list(self.items.values())
        at = [ROOT, *self.items].index(previous_item_id)
        self.items = {item.id: item for item in [*items[:at], item, *items[at:]]}

    def _extend(self, item_id: str, text: str) -> None:
        item = self.items.get(item_id)
        if isinstance(item, MessageItem):
            self.items[item_id] = replace(item, text=(item.text or "") + text)

    def _note_call(self, event: FunctionArguments | FunctionCalled | ResponseFinished) -> None:
        """A call is an item from its first characters on, as the client is told."""
        match event:
            case FunctionArguments():
                self._write_call(event)
            case FunctionCalled(item=item) if item.id in self.items:
                self.items[item.id] = item
            case ResponseFinished():
                self._break_off_call()

    def _write_call(self, part: FunctionArguments) -> None:
        if part.item_id != self._call_id:
            self._break_off_call()
            self._call_id = part.item_id
            call = FunctionCallItem(part.item_id, part.call_id, part.name, "", "in_progress")
            self.items[call.id] = call
        item = self.items.get(part.item_id)
        if isinstance(item, FunctionCallItem):
            self.items[item.id] = replace(item, arguments=item.arguments + part.delta)

    def _break_off_call(self) -> None:
        """No more of its arguments will come."""
        item = self.items.get(self._call_id or "")
        if isinstance(item, FunctionCallItem) and item.status == "in_progress":
            self.items[item.id] = replace(item, status="incomplete")


def _last_turns(messages: list[Message], turns: int) -> list[Message]:
    starts = [index for index, message in enumerate(messages) if message.role == "user"]
    if len(starts) <= turns:
        return messages
    if not turns:
        return []
    step = max(1, turns // 4)
    return messages[starts[step * ceil((len(starts) - turns) / step)] :]


def _append(messages: list[Message], item: Item) -> None:
    match item:
        case MessageItem(role=role, text=text, is_cut=is_cut) if text:
            append_text(messages, role, f"{text}{INTERRUPTED}" if is_cut else text)
        case FunctionCallItem(status="completed"):
            call = ToolCall(id=item.call_id, name=item.name, arguments=item.arguments)
            messages.append(Message(role="assistant", content="", tool_calls=(call,)))
        case FunctionOutputItem():
            messages.append(Message(role="tool", content=item.output, tool_call_id=item.call_id))


def append_text(messages: list[Message], role: str, text: str) -> None:
    """Add what `role` said, to its last message if nobody else spoke since."""
    if messages and messages[-1].role == role and not messages[-1].tool_calls:
        text = f"{messages[-1].content} {text}"
        messages.pop()
    messages.append(Message(role=role, content=text.strip()))  # type: ignore[arg-type]
