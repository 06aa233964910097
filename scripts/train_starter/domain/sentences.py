"""User sentences: parallel patterns with slots, filled and split into train and test.

A filled sentence is held out when `crc32(text) % 10 == 0`, so that the split needs no list and
is the same for everyone who uses the domain.
"""

import functools
import itertools
import random
import re
import tomllib
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

LANGUAGES = ("en", "es", "fr", "hi", "tl")
Split = Literal["train", "test"]

_SLOT = re.compile(r"\{(\w+)\}")
_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Utterance:
    """One sentence of a caller, as people write it.

    `slots` maps a slot's name to the id of its value, which is the same in all languages:
    `{"country": "spain"}`.
    """

    text: str
    language: str
    intent: str
    pattern_id: str
    slots: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A sentence with slots written `{name}` or `{name_form}`."""

    pattern_id: str
    intent: str
    text: str

    @property
    def fields(self) -> tuple[str, ...]:
        """What stands in braces: table names such as `country_of`."""
        return tuple(_SLOT.findall(self.text))

    @property
    def slot_names(self) -> tuple[str, ...]:
        """The slots without their forms, each once: `country`."""
        return tuple(dict.fromkeys(base_slot(field) for field in self.fields))


def base_slot(field: str) -> str:
    """The slot of a form: `country_of` is a form of `country`."""
    return field.partition("_")[0]


@functools.cache
def load(language: str) -> dict[str, Any]:
    """The data file of `language`, as parsed TOML."""
    return tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))


@functools.cache
def patterns(language: str) -> Mapping[str, Pattern]:
    """All patterns of `language` by id."""
    return {
        pattern_id: Pattern(pattern_id, intent, text)
        for intent, group in load(language)["sentences"].items()
        for pattern_id, text in group.items()
    }


def slot_table(language: str, field: str) -> Mapping[str, str]:
    """The words of a slot or form in `language`, by the id of the value."""
    table: Mapping[str, str] = load(language)["slots"][field]
    return table


def fill(language: str, pattern: Pattern, slots: Mapping[str, str]) -> Utterance:
    """`pattern` said with the values of `slots`, its first letter a capital.

    A value that is no id of the slot's table (a name of the outside world) stands for itself.
    """
    words = {field: word(language, field, slots[base_slot(field)]) for field in pattern.fields}
    text = capitalised(pattern.text.format(**words))
    return Utterance(text, language, pattern.intent, pattern.pattern_id, slots)


def word(language: str, field: str, value: str) -> str:
    """How `language` says a slot's value in the form of `field`."""
    return slot_table(language, field).get(value, value)


def capitalised(text: str) -> str:
    """`text` with its first letter a capital, the rest as it is."""
    return text[:1].upper() + text[1:]


def is_held_out(sentence: Utterance) -> bool:
    """Whether a filled sentence belongs to the test split (a tenth; never one without slots)."""
    return bool(sentence.slots) and zlib.crc32(sentence.text.encode()) % 10 == 0


@functools.cache
def sentences(language: str, split: Split) -> Mapping[str, tuple[Utterance, ...]]:
    """Every sentence of `split` in `language`, by pattern id; patterns without one are absent."""
    wanted = split == "test"
    groups = {
        pattern_id: tuple(s for s in _fillings(language, pattern) if is_held_out(s) == wanted)
        for pattern_id, pattern in patterns(language).items()
    }
    return {pattern_id: group for pattern_id, group in groups.items() if group}


def _fillings(language: str, pattern: Pattern) -> Iterator[Utterance]:
    names = pattern.slot_names
    for values in itertools.product(*(slot_table(language, name) for name in names)):
        slots = dict(zip(names, values, strict=True))
        if _makes_sense(language, slots):
            yield fill(language, pattern, slots)


def _makes_sense(language: str, slots: Mapping[str, str]) -> bool:
    """No phrase is translated into the language that it is said in."""
    return "phrase" not in slots or slots["language"] != language


def utterance(language: str, rng: random.Random, split: Split) -> Utterance:
    """A random sentence of `split`; a pattern with n slots is n + 1 times as likely as a plain one.

    The test split holds only sentences with slots, none of which is ever in the train split.
    """
    groups = sentences(language, split)
    weights = [1 + len(group[0].slots) for group in groups.values()]
    (group,) = rng.choices(list(groups.values()), weights)
    return rng.choice(group)


def slot_words(language: str) -> list[str]:
    """Every filler of every slot and form of `language`, sorted, each once."""
    tables = load(language)["slots"].values()
    return sorted({words for table in tables for words in table.values()})
