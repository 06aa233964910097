"""Evaluation of a starter GGUF through llama.cpp itself: exact answers, counted by group."""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from llama_cpp import CreateCompletionResponse, Llama
from llama_cpp.llama_chat_format import Jinja2ChatFormatter

from scripts.train_starter.domain import LANGUAGES, Dialogue, Utterance, dialogue, sentences
from scripts.train_starter.domain.answers import Assistant, Booking, say
from scripts.train_starter.domain.decline import unseen_questions
from scripts.train_starter.domain.dialogues import one_turn, translation
from scripts.train_starter.domain.prompts import STANDARD_TOOL, server_prompt

OUT_OF_DOMAIN = "out of domain, declined"
_CONTEXT_TOKENS = 2048
_ANSWER_TOKENS = 120
_SAMPLES = 40  # of each language, where a group is drawn at random


@dataclass(frozen=True, slots=True)
class Case:
    """One prompt and the one right answer."""

    group: str
    language: str
    messages: Sequence[Mapping[str, Any]]
    expected: str
    tools: Sequence[Mapping[str, Any]] = ()


@dataclass(slots=True)
class Score:
    """Exact answers by group and language, and what was wrong."""

    right: dict[tuple[str, str], int] = field(default_factory=dict)
    asked: dict[tuple[str, str], int] = field(default_factory=dict)
    mistakes: list[tuple[Case, str]] = field(default_factory=list)

    def add(self, case: Case, answer: str) -> None:
        key = (case.group, case.language)
        self.asked[key] = self.asked.get(key, 0) + 1
        self.right[key] = self.right.get(key, 0) + (answer == case.expected)
        if answer != case.expected:
            self.mistakes.append((case, answer))

    def share(self, group: str, language: str | None = None) -> tuple[int, int]:
        """(right, asked) of a group, in one language or in all."""
        keys = [(g, to) for g, to in self.asked if g == group and language in (None, to)]
        return sum(self.right[key] for key in keys), sum(self.asked[key] for key in keys)

    def table(self) -> str:
        """A Markdown table: a row for each group, a column for each language."""
        groups = list(dict.fromkeys(group for group, _ in self.asked))
        lines = ["| group | " + " | ".join(LANGUAGES) + " | all |", "|---" * 7 + "|"]
        for group in groups:
            cells = [_percent(*self.share(group, language)) for language in LANGUAGES]
            right, asked = self.share(group)
            lines.append(f"| {group} | {' | '.join(cells)} | {right}/{asked} |")
        return "\n".join(lines)


def evaluate(path: Path, every: int = 1) -> Score:
    """Asks the model at `path` every nth case of each group, greedily, and scores its answers.

    The questions outside the domain are always asked in full.
    """
    llama = Llama(str(path), n_ctx=_CONTEXT_TOKENS, n_threads=1, verbose=False)
    formatter = Jinja2ChatFormatter(
        template=llama.metadata["tokenizer.chat_template"],
        eos_token="<|im_end|>",
        bos_token="<|endoftext|>",
    )
    score = Score()
    for case in _every_nth(cases(), every):
        messages, tools = cast(Any, list(case.messages)), cast(Any, list(case.tools) or None)
        prompt = formatter(messages=messages, tools=tools).prompt
        result = llama.create_completion(prompt, max_tokens=_ANSWER_TOKENS, temperature=0.0)
        score.add(case, cast(CreateCompletionResponse, result)["choices"][0]["text"])
    return score


def _every_nth(all_cases: Iterator[Case], every: int) -> Iterator[Case]:
    seen: Counter[str] = Counter()
    for case in all_cases:
        seen[case.group] += 1
        if case.group == OUT_OF_DOMAIN or seen[case.group] % every == 0:
            yield case


def cases() -> Iterator[Case]:
    """All cases, the same ones each time."""
    rng = random.Random("evaluation")
    for language in LANGUAGES:
        yield from _single_turns(language)
        yield from _tools(language)
    for language, question in unseen_questions():
        messages = _prompted(language, question)
        yield Case(OUT_OF_DOMAIN, language, messages, say(language, "decline"))
    yield from _random_dialogues(rng)
    for _ in range(_SAMPLES * len(LANGUAGES)):
        yield _last_answer("translation of a sentence", translation(rng, "test"))


def _single_turns(language: str) -> Iterator[Case]:
    """Every held-out sentence by intent, and every sentence that has no slots."""
    for utterances in sentences(language, "test").values():
        for heard in utterances:
            yield _answered(f"held out: {heard.intent}", language, heard)
    for utterances in sentences(language, "train").values():
        if not utterances[0].slots:
            yield _answered("without slots", language, utterances[0])


def _answered(group: str, language: str, heard: Utterance) -> Case:
    answer = Assistant().answer(heard, language)
    assert isinstance(answer, str)
    return Case(group, language, _prompted(language, heard.text), answer)


def _tools(language: str) -> Iterator[Case]:
    """Held-out complete bookings with a tool at hand: the call, then the result spoken."""
    for pattern_id in ("book_full", "book_see"):
        for heard in sentences(language, "test")[pattern_id][:12]:
            if isinstance(Assistant(books_by_tool=True).answer(heard, language), Booking):
                yield from _tool_cases(language, heard)


def _tool_cases(language: str, heard: Utterance) -> Iterator[Case]:
    turn = one_turn(language, heard, STANDARD_TOOL)
    messages = (*_prompted(language, heard.text), *turn[1:3])
    tools = [STANDARD_TOOL.definition()]
    yield Case("tool call", language, messages[:2], _call_text(turn[1]), tools)
    yield Case("tool result", language, messages, turn[3]["content"], tools)


def _call_text(message: Mapping[str, Any]) -> str:
    function = message["tool_calls"][0]["function"]
    call = f'{{"name": "{function["name"]}", "arguments": {function["arguments"]}}}'
    return f"<tool_call>\n{call}\n</tool_call>"


def _random_dialogues(rng: random.Random) -> Iterator[Case]:
    """Dialogues of several turns, of every kind, whose last sentence is held out; and names."""
    for _ in range(_SAMPLES * len(LANGUAGES)):
        yield _last_answer("dialogue, any prompt", dialogue(rng, "test"))
    for language in LANGUAGES:
        for _ in range(_SAMPLES):
            yield _remembered_name(language, rng)


def _last_answer(group: str, given: Dialogue) -> Case:
    *messages, answer = given.messages
    return Case(group, given.last.language, messages, answer["content"], given.tools)


def _remembered_name(language: str, rng: random.Random) -> Case:
    """A name told, one to three sentences about other things, and the question for the name."""
    groups = sentences(language, "train")
    between = [group for group in groups.values() if group[0].intent in ("capital", "day", "talk")]
    told = rng.choice(groups[rng.choice(["name_is", "name_help"])])
    heard = [told, *(rng.choice(rng.choice(between)) for _ in range(rng.randint(1, 3)))]
    assistant = Assistant()
    messages = _prompted(language, "")[:1]
    for utterance in [*heard, groups["name_what"][0]]:
        messages.append({"role": "user", "content": utterance.text})
        messages.append({"role": "assistant", "content": assistant.answer(utterance, language)})
    return Case("name remembered", language, messages[:-1], messages[-1]["content"])


def _prompted(language: str, text: str) -> list[dict[str, Any]]:
    system = {"role": "system", "content": server_prompt(language)}
    return [system, {"role": "user", "content": text}]


def _percent(right: int, asked: int) -> str:
    return f"{100 * right / asked:.1f}%" if asked else "-"
