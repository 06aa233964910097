"""From the bytes of generated tokens to what a reader gets: text and tool calls.

Three filters in a row, each of which holds back what it cannot decide on yet: UTF-8 characters
split over tokens, tool calls, stop strings.
"""

import codecs
import json
import re
import uuid
from collections.abc import Iterable, Iterator, Sequence

from engines.llm.chat import ToolCall, ToolCallDelta
from engines.llm.prompt import Span
from engines.llm.requests import ChatOutput, TextDelta

_OPEN, _CLOSE = "<tool_call>", "</tool_call>"
_ARGUMENTS = re.compile(r'\s*\{\s*"name"\s*:\s*("(?:[^"\\]|\\.)*")\s*,\s*"arguments"\s*:\s*\{')


class ToolCallParser:
    """Takes `<tool_call>{"name": ..., "arguments": {...}}</tool_call>`, the form of Hermes and
    Qwen, out of a stream of text; the arguments are passed on while they are being written. What
    is no such JSON from its beginning is passed on as the text that it is."""

    def __init__(self) -> None:
        self._held = ""
        self._call: CallInTheMaking | None = None  # what stands after an opening tag

    def feed(self, text: str) -> Iterator[str | ToolCallDelta | ToolCall]:
        """What `text` completes."""
        self._held += text
        while True:
            tag = _OPEN if self._call is None else _CLOSE
            before, found, after = self._held.partition(tag)
            if not found:
                break
            call, self._held = self._call, after
            self._call = CallInTheMaking() if call is None else None
            if call is None:
                yield before
            else:
                yield from call.end(before, _CLOSE)
        sure = len(self._held) - _overlap(self._held, tag)
        if self._call is not None:
            yield from self._call.grow(self._held[:sure])
        else:
            text, self._held = self._held[:sure], self._held[sure:]
            yield text

    def close(self) -> Iterator[str | ToolCallDelta | ToolCall]:
        """What is left at the end; some models leave out the closing tag of their last call."""
        (held, self._held), (call, self._call) = (self._held, ""), (self._call, None)
        if call is None:
            yield held
        else:
            yield from call.end(held, "")


class CallInTheMaking:
    """The body of one call, as far as it is written."""

    def __init__(self) -> None:
        self._id = f"call_{uuid.uuid4().hex[:16]}"
        self._name = ""  # known once the arguments have begun
        self._start = 0  # where in the body they begin
        self._told = 0  # where what was passed on of them ends
        self._depth = 0  # brackets that are open there
        self._in_string = False
        self._is_escaped = False

    def grow(self, body: str) -> Iterator[ToolCallDelta]:
        """What is new of the arguments, the body being certain up to here."""
        if not self._name:
            begun = _ARGUMENTS.match(body)
            name = _string(begun[1]) if begun else ""
            if begun is None or not name:
                return
            self._name = name
            self._start = self._told = begun.end() - 1
        told, self._told = self._told, self._end_of_arguments(body)
        if self._told > told:
            yield ToolCallDelta(self._id, self._name, body[told : self._told])

    def end(self, body: str, tag: str) -> Iterator[str | ToolCallDelta | ToolCall]:
        """The body is whole: the call; or its text, unless a part of it was passed on."""
        yield from self.grow(body)
        call = parse_tool_call(body)
        if self._name and call is not None:
            yield ToolCall(self._id, self._name, body[self._start : self._told])
        elif call is not None:
            yield ToolCallDelta(call.id, call.name, call.arguments)
            yield call
        elif not self._name:
            yield f"{_OPEN}{body}{tag}"

    def _end_of_arguments(self, body: str) -> int:
        """Behind the bracket that closes them, or all that is there."""
        if self._told > self._start and not self._depth:
            return self._told
        for index in range(self._told, len(body)):
            self._read(body[index])
            if not self._depth:
                return index + 1
        return len(body)

    def _read(self, character: str) -> None:
        if self._is_escaped:
            self._is_escaped = False
        elif self._in_string:
            self._is_escaped = character == "\\"
            self._in_string = character != '"'
        elif character == '"':
            self._in_string = True
        elif character in "{[":
            self._depth += 1
        elif character in "}]":
            self._depth -= 1


def _string(literal: str) -> str:
    """A string of JSON; empty for one that is none."""
    try:
        return str(json.loads(literal))
    except ValueError:
        return ""


def parse_tool_call(body: str) -> ToolCall | None:
    """The call that stands between the tags, or None if it is not one."""
    try:
        call = json.loads(body)
        arguments = call.get("arguments", {}) if isinstance(call, dict) else None
        written = json.dumps(arguments, ensure_ascii=False)
    except (ValueError, RecursionError):  # no JSON, or nested beyond reason
        return None
    if not isinstance(arguments, dict):
        return None
    name = call.get("name")
    if not isinstance(name, str) or not name:
        return None
    return ToolCall(f"call_{uuid.uuid4().hex[:16]}", name, written)


class StopStrings:
    """Ends a stream of text right before the first of some strings."""

    def __init__(self, strings: Sequence[str]) -> None:
        self._strings = tuple(filter(None, strings))
        self._held = ""
        self.stopped = False

    def feed(self, text: str) -> str:
        """What of the text so far is certain not to belong to a stop string."""
        held = self._held + text
        found = min((i for i in map(held.find, self._strings) if i >= 0), default=-1)
        if found >= 0:
            self.stopped, self._held = True, ""
            return held[:found]
        sure = len(held) - max((_overlap(held, string) for string in self._strings), default=0)
        self._held = held[sure:]
        return held[:sure]

    def close(self) -> str:
        """What was held back; it did not become a stop string."""
        held, self._held = self._held, ""
        return held


class AnswerStream:
    """One answer in the making: tokens in, text and tool calls out. Remembers which tokens made
    which text, so that they need not be guessed from it again."""

    def __init__(self, *, stop: Sequence[str] = (), tools: bool = False) -> None:
        self._utf8 = codecs.getincrementaldecoder("utf-8")("ignore")
        self._calls = ToolCallParser() if tools else None
        self._stops = StopStrings(stop)
        self._text = ""
        self._tokens: list[int] = []
        self._borders = [(0, 0)]
        self.called_tools = False

    @property
    def count(self) -> int:
        """Tokens so far."""
        return len(self._tokens)

    @property
    def stopped(self) -> bool:
        """A stop string was reached: the answer ends here."""
        return self._stops.stopped

    @property
    def span(self) -> Span:
        """The text so far and its tokens."""
        return Span(self._text, tuple(self._tokens), tuple(self._borders))

    def feed(self, token: int, piece: bytes) -> list[ChatOutput]:
        """What the next token, which stands for the bytes `piece`, completes."""
        text = self._utf8.decode(piece)
        self._text += text
        self._tokens.append(token)
        if not self._utf8.getstate()[0]:  # no character is cut in two here
            self._borders.append((len(self._text), len(self._tokens)))
        return self._outputs(self._calls.feed(text) if self._calls else [text])

    def close(self) -> list[ChatOutput]:
        """What was held back. An incomplete character is dropped."""
        outputs = self._outputs(self._calls.close() if self._calls else [])
        tail = self._stops.close()
        return [*outputs, TextDelta(tail)] if tail else outputs

    def _outputs(self, parts: Iterable[str | ToolCallDelta | ToolCall]) -> list[ChatOutput]:
        outputs: list[ChatOutput] = []
        for part in parts:
            if self.stopped:
                break
            text = self._stops.feed(part) if isinstance(part, str) else self._stops.close()
            if text:
                outputs.append(TextDelta(text))
            if not isinstance(part, str):
                self.called_tools = self.called_tools or isinstance(part, ToolCall)
                outputs.append(part)
        return outputs


def _overlap(text: str, tag: str) -> int:
    """Length of the longest end of `text` that is a beginning of `tag`, but not all of it."""
    longest = min(len(text), len(tag) - 1)
    return next((n for n in range(longest, 0, -1) if text.endswith(tag[:n])), 0)
