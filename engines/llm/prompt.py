"""Prompts as tokens, without tokenizing again what the model itself wrote.

A text has many spellings in tokens, and a model rarely writes the one that a tokenizer gives back.
A KV cache is only of use for the very same tokens, so a session remembers which tokens made the
text of its answers. When a later prompt begins with the same text, or with a part of it because the
caller interrupted the answer there, those tokens are used again.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from engines.errors import ContextTooLong
from engines.llm.chat import ChatTemplate, Message, Tool, count_turns, without_oldest_turns
from engines.llm.llama import Vocabulary

WORDS_TO_COME_TOKENS = 64  # of a prompt that is read before the caller has finished
_BLOCK = 64

# What has more characters for each token that there is room for does not fit: a token of words has
# 2 to 6, and the long ones are of spaces and dashes. To find that out by the tokenizer takes a
# second for a million characters, in which no caller is answered.
_MOST_CHARACTERS_PER_TOKEN = 16


@dataclass(frozen=True, slots=True)
class Span:
    """Text that was generated: where in the prompt it stands, and its tokens."""

    text: str
    tokens: tuple[int, ...]
    borders: tuple[tuple[int, int], ...]  # (characters, tokens) where both may be cut; from (0, 0)
    start: int = 0  # characters of the prompt before it
    offset: int = 0  # tokens of the prompt before it

    def first(self, characters: int) -> "Span":
        """As many whole tokens as stand for no more than the first `characters`."""
        index = bisect_right(self.borders, (characters, len(self.tokens)))
        end, count = self.borders[index - 1]
        text, tokens, borders = self.text[:end], self.tokens[:count], self.borders[:index]
        return replace(self, text=text, tokens=tokens, borders=borders)


@dataclass(frozen=True, slots=True)
class Memory:
    """What a session's prompt was last, with all that the model wrote of it."""

    text: str = ""
    tokens: Sequence[int] = ()
    spans: tuple[Span, ...] = ()
    dropped_turns: int = 0  # how many of the oldest were trimmed ...
    oldest_kept: str = ""  # ... and what the caller said in the first that was not


@dataclass(frozen=True, slots=True)
class Prompt:
    """A rendered prompt and its tokens."""

    text: str
    tokens: list[int]
    spans: tuple[Span, ...] = ()
    dropped_turns: int = 0
    oldest_kept: str = ""

    def then(self, answer: Span) -> Memory:
        """What to remember when this prompt was answered so."""
        answer = replace(answer, start=len(self.text), offset=len(self.tokens))
        text, tokens = self.text + answer.text, [*self.tokens, *answer.tokens]
        spans = (*self.spans, answer)
        return Memory(text, tokens, spans, self.dropped_turns, self.oldest_kept)


class PromptBuilder:
    """Makes prompts for one model, none longer than `max_tokens` together with its answer."""

    def __init__(self, template: ChatTemplate, vocabulary: Vocabulary, *, max_tokens: int) -> None:
        self.max_tokens = max_tokens
        self._template = template
        self._vocabulary = vocabulary

    def build(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool],
        memory: Memory,
        *,
        answer_tokens: int,
        generate: bool,
    ) -> Prompt:
        """The prompt of a chat, without its oldest turns if it were too long with them.

        One that is only read leaves room for words to come: they would else be what trims it.
        Raises `ContextTooLong` when even the system messages and the last turn do not fit, and
        `EngineError` when the template refuses the chat.
        """
        limit = self.max_tokens - answer_tokens
        least = self._turns_too_long(messages, tools)

        @cache
        def without(turns: int) -> Prompt:
            kept = without_oldest_turns(messages, turns)
            text = self._template.render(kept, tools, generate=generate)
            prompt = self._encode(text, memory)
            return replace(prompt, dropped_turns=turns, oldest_kept=_first_words(kept))

        prompt = without(max(least, _turns_dropped_before(messages, memory)))
        if len(prompt.tokens) > limit - (0 if generate else WORDS_TO_COME_TOKENS):
            # A quarter is left free, or else the next turn would have to trim, and decode, again.
            turns = range(count_turns(messages) - 1)
            prompt = without(
                bisect_left(
                    turns, True, least, key=lambda n: len(without(n).tokens) <= limit * 3 // 4
                )
            )
        if len(prompt.tokens) > limit:
            raise ContextTooLong(
                f"The last message needs {len(prompt.tokens)} tokens with its instructions and "
                f"{answer_tokens} for the answer; the model has {self.max_tokens}. Shorten it."
            )
        return prompt

    def _turns_too_long(self, messages: Sequence[Message], tools: Sequence[Tool]) -> int:
        """How many of the oldest turns do not fit by their length alone, unread.

        Raises `ContextTooLong` if all of them do not.
        """
        most = self.max_tokens * _MOST_CHARACTERS_PER_TOKEN
        of_tools = sum(tool.characters for tool in tools)

        def fits(turns: int) -> bool:
            kept = without_oldest_turns(messages, turns)
            return of_tools + sum(message.characters for message in kept) <= most

        if fits(0):
            return 0
        turns = range(count_turns(messages))
        least = bisect_left(turns, True, key=fits)
        if least == len(turns):
            raise ContextTooLong(
                f"The last message has more than {most} characters with its instructions and "
                f"tools; the model has {self.max_tokens} tokens. Shorten it."
            )
        return least

    def _encode(self, text: str, memory: Memory) -> Prompt:
        vocabulary = self._vocabulary
        prompt = encode(
            text, memory if vocabulary.joins_segments else Memory(), vocabulary.tokenize
        )
        if vocabulary.adds_bos and prompt.tokens[:1] != [vocabulary.bos]:
            prompt.tokens.insert(0, vocabulary.bos)
        return prompt


def _first_words(messages: Sequence[Message]) -> str:
    return next((message.content for message in messages if message.role == "user"), "")


def _turns_dropped_before(messages: Sequence[Message], memory: Memory) -> int:
    """How many turns the last prompt of this same chat left out; 0 if it was another chat."""
    kept = without_oldest_turns(messages, memory.dropped_turns)
    return memory.dropped_turns if _first_words(kept) == memory.oldest_kept else 0


def encode(text: str, memory: Memory, tokenize: Callable[[str], list[int]]) -> Prompt:
    """The tokens of a rendered prompt. Up to the last remembered answer that it has, or has a part
    of, they are those of the memory; only what follows is tokenized."""
    common = common_prefix_length(text, memory.text)
    spans = [span.first(common - span.start) for span in memory.spans if span.start < common]
    while spans and not spans[-1].text:
        spans.pop()
    if not spans:
        return Prompt(text, tokenize(text))
    last = spans[-1]
    known = memory.tokens[: last.offset + len(last.tokens)]
    rest = tokenize(text[last.start + len(last.text) :])
    return Prompt(text, [*known, *rest], tuple(spans))


def common_prefix_length(left: Sequence[Any], right: Sequence[Any]) -> int:
    """How many items two sequences have in common from their beginning."""
    limit = min(len(left), len(right))
    length, step = 0, _BLOCK
    while step:
        end = length + step
        if end <= limit and left[length:end] == right[length:end]:
            length = end
        else:
            step //= 2
    return length
