"""Training dialogues: callers' utterances, the assistant's answers, system prompts and tools.

The answer's language is the one that the system prompt names; without one, that of the caller's
last words. When the caller changes language, the server's prompt changes with it, so that an
earlier answer in the history may be in another language than the prompt now names: only answers in
the language of the prompt are marked to be learnt.
"""

import functools
import json
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from scripts.train_starter.domain.answers import ALL_PARTS, Assistant, Booking, say
from scripts.train_starter.domain.decline import INTENT as OUT_OF_DOMAIN
from scripts.train_starter.domain.decline import out_of_domain
from scripts.train_starter.domain.noise import transcription_noise
from scripts.train_starter.domain.prompts import (
    LANGUAGE_NAMES,
    BookingTool,
    random_booking_tool,
    random_name,
    random_other_tools,
    random_prompt,
    random_tool_result,
    server_prompt,
)
from scripts.train_starter.domain.sentences import (
    LANGUAGES,
    Split,
    Utterance,
    fill,
    patterns,
    sentences,
    slot_words,
    utterance,
)

Message = dict[str, Any]
NAME_QUESTIONS = ("name_what", "name_know")
TRANSLATION_REQUEST = "Translate into {language}: {text}"


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Messages and tools in the form of OpenAI's chat API.

    `learnt` says of each assistant message, in order, whether it is a target of training.
    `last` is the caller's last utterance.
    """

    messages: tuple[Message, ...]
    tools: tuple[Mapping[str, Any], ...]
    learnt: tuple[bool, ...]
    last: Utterance


@dataclass(slots=True)
class _Writer:
    """Writes one dialogue, message by message."""

    rng: random.Random
    language: str  # that the prompt names, or of the last utterance
    named: bool  # whether the prompt names it
    noisy: bool
    assistant: Assistant
    tool: BookingTool | None
    willing: float = 0.8  # how often the tool finds the hour free
    messages: list[Message] = field(default_factory=list)
    learnt: list[bool] = field(default_factory=list)

    def turn(self, heard: Utterance, *, in_history: bool = False) -> None:
        """The caller says `heard`; the assistant answers, by way of its tool if need be.

        `in_history`: from before the prompt named its present language.
        """
        language = self.language if self.named and not in_history else heard.language
        self.messages.append({"role": "user", "content": self._transcribed(heard)})
        reply = self._reply(heard, language)
        while isinstance(reply, Booking):
            reply = self._use_tool(reply, language)
        self._assistant_says({"role": "assistant", "content": reply}, language)

    def _reply(self, heard: Utterance, language: str) -> str | Booking:
        if heard.intent == OUT_OF_DOMAIN:
            self.assistant.last_answer = say(language, "decline")
            return self.assistant.last_answer
        return self.assistant.answer(heard, language)

    def _use_tool(self, booking: Booking, language: str) -> str:
        assert self.tool is not None
        arguments = json.dumps(self.tool.arguments(booking.slots), ensure_ascii=False)
        call_id = f"call_{len(self.messages)}"
        function = {"name": self.tool.name, "arguments": arguments}
        call = {"id": call_id, "type": "function", "function": function}
        self._assistant_says({"role": "assistant", "content": "", "tool_calls": [call]}, language)
        accepted = self.rng.random() < self.willing
        result = random_tool_result(self.rng, accepted=accepted)
        self.messages.append({"role": "tool", "tool_call_id": call_id, "content": result})
        return self.assistant.booking_result(language, accepted=accepted)

    def _assistant_says(self, message: Message, language: str) -> None:
        self.messages.append(message)
        self.learnt.append(not self.named or language == self.language)

    def _transcribed(self, heard: Utterance) -> str:
        if not self.noisy or self.rng.random() > 0.4:
            return heard.text
        keep = _slot_vocabulary(heard.language) | {heard.slots.get("name", "").lower()}
        return transcription_noise(heard.text, self.rng, keep=keep)


def dialogue(rng: random.Random, split: Split = "train", *, single_turns: float = 0.3) -> Dialogue:
    """A random dialogue; in the test split its last utterance is held out and free of noise.

    `single_turns` is the share of dialogues that are one question and its answer.
    """
    if split == "train":
        drill = rng.random()
        if drill < 0.10:
            return translation(rng, split)
        if drill < 0.26:
            return booking_call(rng)
    language = rng.choice(LANGUAGES)
    prompt, named = random_prompt(language, rng)
    tool = random_booking_tool(rng) if rng.random() < 0.4 else None
    tools = _offered(tool, rng)
    writer = _Writer(
        rng,
        language,
        named,
        noisy=split == "train" and rng.random() < 0.4,
        assistant=Assistant(tuple(tool.parameters) if tool else ALL_PARTS, tool is not None),
        tool=tool,
    )
    if prompt:
        writer.messages.append({"role": "system", "content": prompt})
    last = _converse(writer, split, single_turns)
    return Dialogue(tuple(writer.messages), tuple(tools), tuple(writer.learnt), last)


def translation(rng: random.Random, split: Split) -> Dialogue:
    """A request to translate one sentence of the domain from English or into it."""
    languages = ["en", rng.choice(LANGUAGES[1:])]
    rng.shuffle(languages)
    heard = utterance(languages[0], rng, split)
    language = languages[1]
    said = fill(language, patterns(language)[heard.pattern_id], heard.slots)
    request = TRANSLATION_REQUEST.format(language=LANGUAGE_NAMES[language], text=heard.text)
    prompt, _ = random_prompt(language, rng)
    messages: list[Message] = [{"role": "system", "content": prompt}] if prompt else []
    messages += [{"role": "user", "content": request}, {"role": "assistant", "content": said.text}]
    return Dialogue(tuple(messages), (), (True,), heard)


def booking_call(rng: random.Random) -> Dialogue:
    """A whole appointment in one sentence, booked by tool: what its arguments are learnt from."""
    language = rng.choice(LANGUAGES)
    tool = random_booking_tool(rng)
    heard = _sentence(language, rng, lambda one: one.pattern_id in ("book_full", "book_see"))
    prompt = server_prompt(language)
    assistant = Assistant(tuple(tool.parameters), books_by_tool=True)
    writer = _Writer(rng, language, True, rng.random() < 0.3, assistant, tool)
    writer.messages.append({"role": "system", "content": prompt})
    writer.turn(heard)
    tools = _offered(tool, rng)
    return Dialogue(tuple(writer.messages), tuple(tools), tuple(writer.learnt), heard)


def one_turn(language: str, heard: Utterance, tool: BookingTool) -> tuple[Message, ...]:
    """What is said after `heard` as a first sentence, with `tool` at hand and willing."""
    assistant = Assistant(tuple(tool.parameters), books_by_tool=True)
    writer = _Writer(random.Random(0), language, True, False, assistant, tool, willing=1.0)
    writer.turn(heard)
    return tuple(writer.messages)


def _offered(tool: BookingTool | None, rng: random.Random) -> list[dict[str, Any]]:
    tools = random_other_tools(rng) + ([tool.definition()] if tool else [])
    rng.shuffle(tools)
    return tools


def _converse(writer: _Writer, split: Split, single_turns: float) -> Utterance:
    """Writes one to thirty turns, the last in the language of the prompt, mostly."""
    rng = writer.rng
    topic = rng.choices(_TOPICS, [10, 80, 10, 0] if writer.tool else [32, 14, 36, 18])[0]
    switching = rng.random() < 0.25
    for _ in range(0 if rng.random() < single_turns else _earlier_turns(rng)):
        if switching:
            writer.turn(topic(rng.choice(LANGUAGES), rng), in_history=True)
        else:
            writer.turn(topic(_spoken(writer), rng))
    last = topic(_spoken(writer), rng) if split == "train" else _held_out(_spoken(writer), rng)
    writer.turn(last)
    return last


def _earlier_turns(rng: random.Random) -> int:
    """How many turns a conversation has before its last one: mostly few."""
    fewest, most = rng.choices([(1, 3), (4, 9), (10, 29)], [66, 30, 4])[0]
    return rng.randint(fewest, most)


def _spoken(writer: _Writer) -> str:
    """The language that the caller speaks: now and then not the one that the prompt names."""
    if writer.named and writer.rng.random() < 0.05:
        return writer.rng.choice(LANGUAGES)
    return writer.language


def _anything(language: str, rng: random.Random) -> Utterance:
    if rng.random() < 0.18:
        return out_of_domain(language, rng)
    return _sentence(language, rng, lambda one: True)


def _booking(language: str, rng: random.Random) -> Utterance:
    if rng.random() < 0.2:
        return _anything(language, rng)
    return _sentence(language, rng, lambda one: one.intent in ("booking", "appointment"))


def _name(language: str, rng: random.Random) -> Utterance:
    if rng.random() < 0.35:
        return _anything(language, rng)
    if rng.random() < 0.45:
        return _sentence(language, rng, lambda one: one.pattern_id in NAME_QUESTIONS)
    return _sentence(language, rng, lambda one: "name" in one.slots)


def _phrases(language: str, rng: random.Random) -> Utterance:
    if rng.random() < 0.3:
        return _anything(language, rng)
    return _sentence(language, rng, lambda one: one.intent == "translation")


def _sentence(language: str, rng: random.Random, wanted: Callable[[Utterance], bool]) -> Utterance:
    """A sentence to train on, mostly of patterns with many slots: they have the most to learn."""
    groups = [group for group in sentences(language, "train").values() if wanted(group[0])]
    (group,) = rng.choices(groups, [(1 + len(group[0].slots)) ** 2 for group in groups])
    return _with_other_name(rng.choice(group), rng)


def _held_out(language: str, rng: random.Random) -> Utterance:
    return utterance(language, rng, "test")


_TOPICS: list[Callable[[str, random.Random], Utterance]] = [
    _anything,
    _booking,
    _name,
    _phrases,
]


def _with_other_name(heard: Utterance, rng: random.Random) -> Utterance:
    """`heard`, now and then with a name that is not one of the domain's."""
    if "name" not in heard.slots or rng.random() > 0.5:
        return heard
    slots = dict(heard.slots) | {"name": random_name(heard.language, rng)}
    return fill(heard.language, patterns(heard.language)[heard.pattern_id], slots)


_WORD = re.compile(r"[^\s.,!?¿¡।]+")


@functools.cache
def _slot_vocabulary(language: str) -> frozenset[str]:
    """The single words of all slot fillers, in lower case."""
    return frozenset(_WORD.findall(" ".join(slot_words(language)).lower()))
