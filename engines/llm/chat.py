"""Chats as text: messages and tools rendered by a model's own Jinja chat template.

Templates differ in what they accept. One that has no system role gets the system text folded into
the first user message; one that has no tools gets them described in the system text; one that wants
user and assistant in turn gets neighbours merged. Only a template that still refuses is an error.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import jinja2
from llama_cpp.llama_chat_format import Jinja2ChatFormatter

from engines.errors import EngineError

_REFUSALS = (ValueError, TypeError, jinja2.TemplateError)
_PROBE = "q7zprobe"  # a word that no template writes by itself

# The form in which Hermes and Qwen models were taught to call tools.
_TOOLS_TEXT = """\
You can call these functions, described as JSON schemas, one a line:
<tools>
{tools}
</tools>
To call one, write only this, with a JSON object:
<tool_call>
{{"name": "its name", "arguments": {{}}}}
</tool_call>"""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model asks for a function to be called."""

    id: str
    name: str
    arguments: str  # a JSON object


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """The next characters of the arguments of a call that is being written: its `ToolCall`, with
    the same id, follows when it is whole, and never comes when it turns out to be none."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the model may ask for."""

    name: str
    description: str
    parameters: Mapping[str, Any]  # JSON schema

    def as_json(self) -> dict[str, Any]:
        function = {
            "name": self.name,
            "description": self.description,
            "parameters": dict(self.parameters),
        }
        return {"type": "function", "function": function}

    @property
    def characters(self) -> int:
        """How long it is in a prompt."""
        return len(json.dumps(self.as_json(), ensure_ascii=False))


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat. A "tool" message is the result of the call `tool_call_id`."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""

    @property
    def characters(self) -> int:
        """How long it is in a prompt."""
        calls = sum(len(call.name) + len(call.arguments) for call in self.tool_calls)
        return len(self.content) + calls


class ChatTemplate:
    """Renders chats with the Jinja `source` of a model's template, in a sandbox.

    `control_texts` are what the vocabulary reads as control tokens: they are broken up inside
    messages, so that no caller can end a message and begin one in another's name.

    Raises `EngineError` when the template cannot be compiled.
    """

    def __init__(
        self,
        source: str,
        *,
        bos_text: str = "",
        eos_text: str = "",
        control_texts: Sequence[str] = (),
    ) -> None:
        self._control = _any_of(control_texts)
        try:
            self._formatters = {
                generate: Jinja2ChatFormatter(
                    template=source,
                    bos_token=bos_text,
                    eos_token=eos_text,
                    add_generation_prompt=generate,
                )
                for generate in (False, True)
            }
        except _REFUSALS as error:
            raise EngineError(f"The chat template cannot be compiled: {error}.") from error
        self.has_system = self._shows([Message("system", _PROBE), Message("user", "a")], ())
        self.has_tools = self._shows([Message("user", "a")], (Tool(_PROBE, "", {}),))

    def render(
        self, messages: Sequence[Message], tools: Sequence[Tool] = (), *, generate: bool = True
    ) -> str:
        """The prompt's text, ending where the assistant's answer begins.

        With `generate=False` it ends inside the last message instead, right after its content, so
        that the message can go on: what is prefilled while the caller still speaks.

        Raises `EngineError` when the template refuses the chat in every form.
        """
        messages = [replace(m, content=self._without_control(m.content)) for m in messages]
        text = self._render_somehow(messages, tools, generate=generate)
        if generate or not messages:
            return text
        probe = [*messages[:-1], replace(messages[-1], content=_PROBE)]
        _, _, trailer = self._render_somehow(probe, tools, generate=False).rpartition(_PROBE)
        return text.removesuffix(trailer).rstrip()

    def _render_somehow(
        self, messages: list[Message], tools: Sequence[Tool], *, generate: bool
    ) -> str:
        if not self.has_tools:
            messages, tools = _tools_in_words(messages, tools), ()
        if self.has_system:
            try:
                return self._render(messages, tools, generate=generate)
            except _REFUSALS:
                pass  # the plain form below is the answer to a refusal
        try:
            return self._render(plain(messages, system=self.has_system), tools, generate=generate)
        except _REFUSALS as error:
            raise EngineError(f"The model's chat template refuses this chat: {error}.") from error

    def _render(self, messages: Sequence[Message], tools: Sequence[Tool], *, generate: bool) -> str:
        rendered: Any = self._formatters[generate](
            messages=[_as_json(message) for message in messages],  # type: ignore[misc]
            tools=[tool.as_json() for tool in tools] or None,  # type: ignore[misc]
            enable_thinking=False,  # nobody on the phone waits for a monologue
        )
        return str(rendered.prompt)

    def _shows(self, messages: Sequence[Message], tools: Sequence[Tool]) -> bool:
        try:
            return _PROBE in self._render(messages, tools, generate=True)
        except _REFUSALS:
            return False

    def _without_control(self, content: str) -> str:
        return self._control.sub(lambda found: f"{found[0][:1]} {found[0][1:]}", content)


def plain(messages: Sequence[Message], *, system: bool) -> list[Message]:
    """The chat with nothing but user and assistant in turn, the user first, after one system
    message if `system`, else with its text in the first user message."""
    merged = _merged([_without_tools(message) for message in with_one_system(messages)])
    head = merged[:1] if merged[:1] and merged[0].role == "system" else []
    turns = merged[len(head) :]
    if not turns or turns[0].role != "user":
        turns.insert(0, Message("user", "(The call begins.)"))
    if head and not system:
        return [replace(turns[0], content=f"{head[0].content}\n\n{turns[0].content}"), *turns[1:]]
    return head + turns


def with_one_system(messages: Sequence[Message]) -> list[Message]:
    """All system texts in one message at the beginning."""
    system = [message.content for message in messages if message.role == "system"]
    others = [message for message in messages if message.role != "system"]
    return [Message("system", "\n".join(system)), *others] if system else others


def count_turns(messages: Sequence[Message]) -> int:
    """A turn is a user message and all that follows it up to the next one."""
    return sum(message.role == "user" for message in messages)


def without_oldest_turns(messages: Sequence[Message], count: int) -> tuple[Message, ...]:
    """The chat without its first `count` turns; no system message and no last turn is dropped."""
    begins = [index for index, message in enumerate(messages) if message.role == "user"]
    count = min(count, len(begins) - 1)
    if count <= 0:
        return tuple(messages)
    kept = [message for message in messages[: begins[count]] if message.role == "system"]
    return (*kept, *messages[begins[count] :])


def _without_tools(message: Message) -> Message:
    """Calls as the text that made them, results as the words of the user."""
    if message.role == "tool":
        return Message("user", f"<tool_response>\n{message.content}\n</tool_response>")
    calls = [_call_text(call) for call in message.tool_calls]
    content = "\n".join(part for part in (message.content, *calls) if part)
    return replace(message, content=content, tool_calls=())


def _call_text(call: ToolCall) -> str:
    body = {"name": call.name, "arguments": _parsed(call.arguments)}
    return f"<tool_call>\n{json.dumps(body, ensure_ascii=False)}\n</tool_call>"


def _merged(messages: Sequence[Message]) -> list[Message]:
    merged: list[Message] = []
    for message in messages:
        if merged and merged[-1].role == message.role:
            content = f"{merged[-1].content}\n{message.content}"
            merged[-1] = replace(message, content=content)
        else:
            merged.append(message)
    return merged


def _tools_in_words(messages: Sequence[Message], tools: Sequence[Tool]) -> list[Message]:
    """The chat for a template that knows nothing of tools."""
    in_words = [_without_tools(message) for message in messages]
    if not tools:
        return in_words
    lines = [json.dumps(tool.as_json(), ensure_ascii=False) for tool in tools]
    offer = Message("system", _TOOLS_TEXT.format(tools="\n".join(lines)))
    return with_one_system([*in_words, offer])


def _as_json(message: Message) -> dict[str, Any]:
    """A message as templates expect it: OpenAI's form, with the arguments parsed."""
    fields: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        fields["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": _parsed(call.arguments)},
            }
            for call in message.tool_calls
        ]
    if message.role == "tool":
        fields["tool_call_id"] = message.tool_call_id
    return fields


def _parsed(arguments: str) -> Any:
    try:
        return json.loads(arguments)
    except (ValueError, RecursionError):
        return arguments


def _any_of(texts: Sequence[str]) -> re.Pattern[str]:
    longest_first = sorted((text for text in texts if len(text) > 1), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")
