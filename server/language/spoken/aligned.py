"""Text that is rewritten step by step and still knows which part of the source each of it says."""

import re
from collections.abc import Callable
from dataclasses import dataclass

Span = tuple[int, int]  # a part of the source: its first character, and the one after its last
Replace = Callable[[re.Match[str]], str | None]  # None: what matched stays as it is


@dataclass(frozen=True, slots=True)
class AlignedText:
    """A text; `spans[i]` is the part of the source that character i is from, never going back."""

    text: str
    spans: tuple[Span, ...]

    @classmethod
    def of(cls, source: str) -> "AlignedText":
        """The source, as it is."""
        return cls(source, tuple((index, index + 1) for index in range(len(source))))

    def sub(self, pattern: re.Pattern[str], replacement: str | Replace) -> "AlignedText":
        """Like `re.sub`; all of a replacement is from all that it replaces."""
        texts: list[str] = []
        spans: list[Span] = []
        position = 0
        for match in pattern.finditer(self.text):
            new = match.expand(replacement) if isinstance(replacement, str) else replacement(match)
            start, end = match.span()
            if start == end or new is None:
                continue
            texts += [self.text[position:start], new]
            spans += self.spans[position:start]
            spans += [(self.spans[start][0], self.spans[end - 1][1])] * len(new)
            position = end
        if not texts:
            return self
        return AlignedText("".join(texts) + self.text[position:], (*spans, *self.spans[position:]))


@dataclass(frozen=True, slots=True)
class Spoken:
    """What is said for a text: words for the ear, and what of the text they are."""

    source: str
    text: str  # one line of single spaces; empty when there is nothing to say
    spans: tuple[Span, ...]  # of each character of `text`, in `source`

    @classmethod
    def as_written(cls, source: str) -> "Spoken":
        """A text that is said as it is written."""
        return cls(source, source, AlignedText.of(source).spans)

    def source_end(self, length: int) -> int:
        """How much of the source is heard when `length` characters of `text` are, in whole words.

        A number, however many words it takes, is heard once all of them are.
        """
        if length >= len(self.text):
            return len(self.source)
        word_start = self.text.rfind(" ", 0, length + 1) + 1
        return self.spans[word_start][0]
