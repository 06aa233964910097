"""Pairs of texts that say the same: what callers say, and what the assistant answers.

A pivot translates an answer as it is spoken, clause by clause, so answers are cut into clauses too.
What is outside the domain is translated into nothing, so that the server notices and asks another
translator. A filled pair is held out for testing when the checksum of either text says so: then no
direction is trained on what another is asked.
"""

import random
import re
import zlib
from dataclasses import dataclass, replace

from scripts.train_starter.domain.answers import say
from scripts.train_starter.domain.decline import out_of_domain
from scripts.train_starter.domain.noise import transcription_noise
from scripts.train_starter.domain.prompts import random_name
from scripts.train_starter.domain.sentences import (
    Split,
    base_slot,
    fill,
    load,
    patterns,
    slot_table,
    slot_words,
)

ENGLISH = "en"
WEIGHTS = {"tl": 4, "hi": 2, "es": 2, "fr": 2}  # Tagalog's questions go by English unless told not
_TOWARDS_USE = 0.7  # questions into English, answers out of it; the rest the other way round
_MISHEARD = 0.3
_OTHER_NAMES = 0.5
_CUT = 0.6
_OUTSIDE = 0.1
_FIELD = re.compile(r"\{(\w+)\}")
_CLAUSE_ENDS = re.compile(r"(?<=[.?!,।])\s+")
_SENTENCE_ENDS = re.compile(r"(?<=[.?!।])\s+")


@dataclass(frozen=True, slots=True)
class Pair:
    """A text and its translation."""

    source: str
    target: str
    source_language: str
    target_language: str

    def reversed(self) -> "Pair":
        """The other direction."""
        return Pair(self.target, self.source, self.target_language, self.source_language)


def pair(rng: random.Random, split: Split) -> Pair:
    """A random pair between English and another language, in either direction."""
    (language,) = rng.choices(list(WEIGHTS), list(WEIGHTS.values()))
    if split == "train" and rng.random() < _OUTSIDE:
        return _outside(language, rng)
    question = rng.random() < 0.5
    while True:
        slots, made = (_question if question else _answer)(language, rng)
        if _is_held_out(made, slots) == (split == "test"):
            break
    if not question and split == "train" and rng.random() < _CUT:
        made = _cut(made, rng)
    if question == (rng.random() < _TOWARDS_USE):
        made = made.reversed()  # into English
        if question and split == "train" and rng.random() < _MISHEARD:
            made = replace(made, source=_misheard(made, slots, rng))
    return made


def _outside(language: str, rng: random.Random) -> Pair:
    """A question that is none of the domain's, and nothing for it."""
    languages = [language, ENGLISH]
    rng.shuffle(languages)
    source, target = languages
    return Pair(out_of_domain(source, rng).text, "", source, target)


def _question(language: str, rng: random.Random) -> tuple[dict[str, str], Pair]:
    """What a caller says, from English."""
    groups = list(_questions(language))
    (group,) = rng.choices(groups, [1 + len(group) for group in groups])
    pattern = patterns(language)[group[0]]
    slots = _values(set(pattern.slot_names), language, rng)
    english, other = (
        fill(code, patterns(code)[pattern.pattern_id], slots).text for code in (ENGLISH, language)
    )
    return slots, Pair(english, other, ENGLISH, language)


def _answer(language: str, rng: random.Random) -> tuple[dict[str, str], Pair]:
    """What the assistant answers, from English."""
    answers = load(ENGLISH)["answers"], load(language)["answers"]
    answer = rng.choice(list(answers[0]))
    names = {base_slot(field) for each in answers for field in _FIELD.findall(each[answer])}
    slots = _values(names, language, rng)
    english, other = (say(code, answer, slots) for code in (ENGLISH, language))
    return slots, Pair(english, other, ENGLISH, language)


def _questions(language: str) -> list[tuple[str, ...]]:
    """Every pattern's id, followed by its slots."""
    return [(each, *one.slot_names) for each, one in patterns(language).items()]


def _values(names: set[str], language: str, rng: random.Random) -> dict[str, str]:
    """Values for these slots; now and then a name that is not one of the domain's."""
    needed = names | ({"language"} if "phrase" in names else set())
    slots = {name: rng.choice(list(slot_table(ENGLISH, name))) for name in sorted(needed)}
    if "name" in slots and language != "hi" and rng.random() < _OTHER_NAMES:
        slots["name"] = random_name(language, rng)  # as Hindi writes it, nobody has told
    return slots


def _is_held_out(made: Pair, slots: dict[str, str]) -> bool:
    texts = (made.source, made.target)
    return bool(slots) and any(zlib.crc32(text.encode()) % 10 == 0 for text in texts)


def _cut(made: Pair, rng: random.Random) -> Pair:
    """Some clauses or sentences of it, where both languages have them alike."""
    source, target = _CLAUSE_ENDS.split(made.source), _CLAUSE_ENDS.split(made.target)
    if len(target) % len(source):
        source, target = _SENTENCE_ENDS.split(made.source), _SENTENCE_ENDS.split(made.target)
    if len(target) % len(source):
        return made
    begin = rng.randrange(len(source))
    end = rng.randint(begin + 1, len(source))
    each = len(target) // len(source)  # "alas otso hanggang alas singko," is a clause in one alone
    cut = target[begin * each : end * each]
    return replace(made, source=" ".join(source[begin:end]), target=" ".join(cut))


def _misheard(made: Pair, slots: dict[str, str], rng: random.Random) -> str:
    words = " ".join([*slot_words(made.source_language), slots.get("name", "")])
    return transcription_noise(made.source, rng, keep=frozenset(words.lower().split()))
