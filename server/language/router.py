"""By which way a question is answered: directly, by way of English, or with notes made first.

How complex a question is, a linear classifier says over features that people can read: the keywords
of the language (`data/<language>/complexity.toml`), its length, its clauses and its numbers. Its
weights are the same for all languages (`data/complexity.tsv`, trained by
`scripts/train_starter/complexity.py`), so that a new language needs nothing but keywords. What
becomes of it stands in one table, `data/routing.toml`. Pure: text in, decision with reasons out.

Why so: translating selectively beats translating everything (Mondshine et al. 2025, arXiv
2502.09331), and a light classifier routes better than the language model itself (Wu et al. 2026,
arXiv 2604.16937).
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from engines.errors import ConfigError
from server.language.numerals import numbers_in
from server.language.resources import complexity_weights, keywords, read
from server.language.words import words_of

_MOST_REASONS = 4  # that are told, the weightiest first
_CLAUSE_MARKS = re.compile(r"[,;:.?!।]+(?=\s|$)")


class Tier(StrEnum):
    """Ways to an answer."""

    DIRECT = "direct"  # the model is asked in the caller's language
    PIVOT = "pivot"  # translated to English, answered, translated back
    STRUCTURED = "structured"  # facts and steps in English first, then the answer


class Complexity(StrEnum):
    """How much there is to think about."""

    SIMPLE = "simple"  # small talk, one fact, one wish
    MODERATE = "moderate"  # an explanation, a comparison, a piece of advice, one calculation
    COMPLEX = "complex"  # several steps, or several conditions at once


@dataclass(frozen=True, slots=True)
class RoutingTable:
    """The tiers of each class of languages by complexity, and the class of each language."""

    classes: Mapping[str, Mapping[Complexity, Tier]]
    languages: Mapping[str, str]

    def tier(self, language: str, complexity: Complexity) -> Tier:
        """Direct for a language that the table does not name."""
        tiers = self.classes.get(self.languages.get(language, ""), {})
        return tiers.get(complexity, Tier.DIRECT)

    def is_direct(self, language: str) -> bool:
        """Whether every question of the language is answered directly."""
        return all(self.tier(language, each) is Tier.DIRECT for each in Complexity)


@dataclass(frozen=True, slots=True)
class Route:
    """A decision."""

    tier: Tier
    complexity: Complexity
    reasons: tuple[str, ...]  # features that spoke for it, the weightiest first


def route(text: str, language: str, table: RoutingTable, *, reasons: bool = True) -> Route:
    """By which way a question in `language` is answered; `reasons`: whether the model can."""
    complexity, spoke = complexity_of(text, language)
    tier = table.tier(language, complexity)
    resources = f"{language}: {table.languages.get(language, 'unlisted')}"
    if tier is Tier.STRUCTURED and not reasons:
        return Route(Tier.DIRECT, complexity, (resources, "the model cannot reason", *spoke))
    return Route(tier, complexity, (resources, *spoke))


def complexity_of(text: str, language: str) -> tuple[Complexity, tuple[str, ...]]:
    """How complex a question is, and which features say so."""
    found = features(text, language)
    weights = complexity_weights()
    scores = {
        each: sum(weights.get(f"{each.value} {name}", 0.0) for name in ("bias", *found))
        for each in Complexity
    }
    complexity = max(scores, key=lambda each: scores[each])
    return complexity, _reasons(found, complexity, weights)


def features(text: str, language: str) -> tuple[str, ...]:
    """What the classifier sees: "words 13-20", "clauses 2", "numbers 1", "why", "why+numbers"."""
    words = words_of(text)
    groups = [name for name, phrases in keywords(language).items() if _has_any(words, phrases)]
    counts = [
        _bucket("words", len(words), (4, 8, 12, 18, 26)),
        _bucket("clauses", _num_clauses(text, language), (1, 2, 3, 5)),
        _bucket("numbers", len(numbers_in(text, language)), (0, 1, 2)),
        _bucket("questions", text.count("?"), (1,)),
    ]
    pairs = [f"{name} with {counts[2]}" for name in groups]
    return (*groups, *counts, *pairs, _bucket("keywords", len(groups), (0, 1, 2)))


@cache
def read_table(changes: str = "", classes: tuple[str, ...] = ()) -> RoutingTable:
    """The table, with what a file of the owner's changes in it, and "tl=high" classes.

    Raises `ConfigError` for a file that is none, and for names that are not known.
    """
    base = tomllib.loads(read(".", "routing.toml"))
    own = _changes(Path(changes)) if changes else {}
    named = dict(_pair(text) for text in classes)
    tiers = {**base["classes"], **own.get("classes", {})}
    languages = {**base["languages"], **own.get("languages", {}), **named}
    for language, name in languages.items():
        if name not in tiers:
            known = ", ".join(tiers)
            raise ConfigError(f"The class {name!r} of {language} is not known. Known: {known}.")
    return RoutingTable({name: _tiers(name, row) for name, row in tiers.items()}, languages)


def _reasons(
    found: Sequence[str], complexity: Complexity, weights: Mapping[str, float]
) -> tuple[str, ...]:
    """The features that speak for this complexity, the weightiest first."""
    own = {name: weights.get(f"{complexity.value} {name}", 0.0) for name in found}
    spoke = sorted((name for name in own if own[name] > 0), key=lambda name: -own[name])
    return tuple(spoke[:_MOST_REASONS])


def _has_any(words: Sequence[str], phrases: frozenset[tuple[str, ...]]) -> bool:
    parts = {len(phrase) for phrase in phrases}
    return any(
        tuple(words[start : start + length]) in phrases
        for length in parts
        for start in range(len(words) - length + 1)
    )


def _num_clauses(text: str, language: str) -> int:
    """Parts between punctuation, and after words that join clauses."""
    words = words_of(text)
    joins = sum(_has_any([word], keywords(language).get("joins", frozenset())) for word in words)
    return joins + sum(1 for part in _CLAUSE_MARKS.split(text) if words_of(part))


def _bucket(name: str, count: int, borders: Sequence[int]) -> str:
    """ "words 5-8" of 6 with borders 4 and 8; "words 27+" beyond the last."""
    lower = 0
    for border in borders:
        if count <= border:
            return f"{name} {border}" if lower == border else f"{name} {lower}-{border}"
        lower = border + 1
    return f"{name} {lower}+"


# ---- the table ----------------------------------------------------------------------------------


def _changes(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"conversation.routing_table: {path} cannot be read: {error}") from error


def _pair(text: str) -> tuple[str, str]:
    language, _, name = text.partition("=")
    if not language or not name:
        raise ConfigError(
            f'conversation.language_classes: {text!r} is not allowed. Write "tl=high".'
        )
    return language.strip(), name.strip()


def _tiers(name: str, row: Mapping[str, str]) -> dict[Complexity, Tier]:
    try:
        return {each: Tier(row[each.value]) for each in Complexity}
    except (KeyError, ValueError) as error:
        raise ConfigError(
            f"The class {name!r} of the routing table needs simple, moderate and complex, each "
            f"direct, pivot or structured: {error}."
        ) from error
