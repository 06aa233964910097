"""From the bytes of generated tokens to what a reader gets: text and tool calls.

Three filters in a row, each of which holds back what it cannot decide on yet: UTF-8 characters
split over tokens, tool calls, stop strings.
"""

import codecs
import json
import uuid
from collections.abc import Iterable, Iterator, Sequence

from engines.llm.chat import ToolCall
from engines.llm.prompt import Span
from engines.llm.requests import TextDelta

_OPEN, _CLOSE = "<tool_call>", "</tool_call>"


class ToolCallParser:
    """Takes `<tool_call>{"name": ..., "arguments": {...}}</tool_call>`, the form of Hermes and
    Qwen, out of a stream of text. A call that is no such JSON is passed on as the text it is."""

    def __init__(self) -> None:
        self._held = ""
        self._inside = False

    def feed(self, text: str) -> Iterator[str | ToolCall]:
        """What `text` completes."""
        self._held += text
        while True:
            tag = _CLOSE if self._inside else _OPEN
            before, found, after = self._held.partition(tag)
            if not found:
                break
            self._held, self._inside = after, not self._inside
            yield (parse_tool_call(before) or _OPEN + before + _CLOSE) if tag == _CLOSE else before
        if not self._inside:
            sure = len(self._held) - _overlap(self._held, _OPEN)
            text, self._held = self._held[:sure], self._held[sure:]
            yield text

    def close(self) -> Iterator[str | ToolCall]:
        """What is left at the end; some models leave out the closing tag of their last call."""
        held, self._held = self._held, ""
        yield (parse_tool_call(held) or _OPEN + held) if self._inside else held
        self._inside = False


def parse_tool_call(body: str) -> ToolCall | None:
    """The call that stands between the tags, or None if it is not one."""
    try:
        call = json.loads(body)
    except ValueError:
        return None
    if not isinstance(call, dict):
        return None
    name, arguments = call.get("name"), call.get("arguments", {})
    if not isinstance(name, str) or not name or not isinstance(arguments, dict):
        return None
    return ToolCall(
        f"call_{uuid.uuid4().hex[:16]}", name, json.dumps(arguments, ensure_ascii=False)
    )


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

    def __init__(self, *, start: int, stop: Sequence[str] = (), tools: bool = False) -> None:
        self._start = start  # characters of the prompt before the answer
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
        return Span(self._start, self._text, tuple(self._tokens), tuple(self._borders))

    def feed(self, token: int, piece: bytes) -> list[TextDelta | ToolCall]:
        """What the next token, which stands for the bytes `piece`, completes."""
        text = self._utf8.decode(piece)
        self._text += text
        self._tokens.append(token)
        if not self._utf8.getstate()[0]:  # no character is cut in two here
            self._borders.append((len(self._text), len(self._tokens)))
        return self._outputs(self._calls.feed(text) if self._calls else [text])

    def close(self) -> list[TextDelta | ToolCall]:
        """What was held back. An incomplete character is dropped."""
        outputs = self._outputs(self._calls.close() if self._calls else [])
        tail = self._stops.close()
        return [*outputs, TextDelta(tail)] if tail else outputs

    def _outputs(self, parts: Iterable[str | ToolCall]) -> list[TextDelta | ToolCall]:
        outputs: list[TextDelta | ToolCall] = []
        for part in parts:
            if self.stopped:
                break
            text = self._stops.feed(part) if isinstance(part, str) else self._stops.close()
            if text:
                outputs.append(TextDelta(text))
            if isinstance(part, ToolCall):
                self.called_tools = True
                outputs.append(part)
        return outputs


def _overlap(text: str, tag: str) -> int:
    """Length of the longest end of `text` that is a beginning of `tag`, but not all of it."""
    longest = min(len(text), len(tag) - 1)
    return next((n for n in range(longest, 0, -1) if text.endswith(tag[:n])), 0)
