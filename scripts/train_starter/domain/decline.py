"""Questions outside the domain, which the starter LLM learns to decline."""

import functools
import random
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from scripts.train_starter.domain.sentences import LANGUAGES, Utterance, capitalised, slot_table

_FOLDER = Path(__file__).parent
_SLOT = re.compile(r"\{(\w+)\}")
INTENT = "out_of_domain"

# Slots of the templates that are filled from the domain's own tables.
_DOMAIN_FIELDS = {
    "home": "country",
    "home_of": "country_of",
    "known": "phrase",
    "language": "language",
    "day": "day",
    "hour": "hour",
}
_FILLER_LISTS = {"thing": "things", "action": "actions"}


@functools.cache
def _load(name: str) -> dict[str, Any]:
    return tomllib.loads((_FOLDER / name).read_text(encoding="utf-8"))


def unseen_questions() -> tuple[tuple[str, str], ...]:
    """(language, question) of the 200 test questions."""
    questions = _load("out_of_domain_test.toml")
    return tuple((language, text) for language in LANGUAGES for text in questions[language])


def templates(language: str) -> frozenset[str]:
    """All training templates of `language`."""
    lists: Mapping[str, list[str]] = _load("out_of_domain.toml")[language]
    return frozenset(lists["frames"] + lists["questions"] + lists["traps"])


def filled_templates(
    language: str, rng: random.Random, fillings: int
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every training template of `language` with up to `fillings` of its fillings."""
    for template in sorted(templates(language)):
        texts = {capitalised(_fill(language, template, rng)) for _ in range(fillings)}
        yield template, tuple(sorted(texts))


def out_of_domain(language: str, rng: random.Random) -> Utterance:
    """A random question to decline: a filled frame, a question, a trap, or words in no order."""
    lists = _load("out_of_domain.toml")[language]
    kind = rng.choices(["frames", "questions", "traps", "salad"], [40, 25, 30, 5])[0]
    text = _salad(lists, rng) if kind == "salad" else _fill(language, rng.choice(lists[kind]), rng)
    return Utterance(capitalised(text), language, INTENT, kind, {})


def _fill(language: str, template: str, rng: random.Random) -> str:
    return _SLOT.sub(lambda match: rng.choice(_fillers(language, match[1])), template)


@functools.cache
def _fillers(language: str, field: str) -> tuple[str, ...]:
    if field in _DOMAIN_FIELDS:
        return tuple(slot_table(language, _DOMAIN_FIELDS[field]).values())
    return tuple(_load("out_of_domain.toml")[language][_FILLER_LISTS.get(field, field)])


def _salad(lists: Mapping[str, list[str]], rng: random.Random) -> str:
    """The words of three questions, shuffled: what a bad line may leave of a sentence."""
    words = " ".join(rng.sample(lists["questions"], 3)).split()
    return " ".join(rng.sample(words, rng.randint(3, min(9, len(words)))))
