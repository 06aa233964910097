"""Records of a run as figures need them: each with its errors, in groups."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evaluation.data.synthetic import without_synthetic
from evaluation.metrics.bootstrap import Interval, ratio
from evaluation.metrics.errors import Comparison, Errors, compare, total
from evaluation.normalisers import normalise
from evaluation.normalisers.published import whisper_normalise
from evaluation.results import Record

ALL = "all"
CLEAN = "clean"  # the condition of recordings as they are


@dataclass(frozen=True, slots=True)
class Heard:
    """One recording under one condition: what was said, what was heard, what was wrong."""

    record: Record
    said: str  # normalised
    heard: str
    words: Comparison
    characters: Errors
    published: Errors  # of words, with Whisper's normaliser

    @property
    def language(self) -> str:
        """That was spoken; "" where nobody spoke."""
        return str(self.record["language"])

    def __getitem__(self, field: str) -> Any:
        return self.record[field]


def heard_of(records: Sequence[Record]) -> list[Heard]:
    """Every record in which somebody spoke, with its errors."""
    spoken = [record for record in records if record["language"]]
    ours = _texts(spoken, normalise)
    words = compare(*ours)
    characters = compare(*ours, unit="characters")
    published = compare(*_texts(spoken, whisper_normalise))
    rows = zip(spoken, *ours, words, characters, published, strict=True)
    return [
        Heard(record, said, heard, word, character.errors, other.errors)
        for record, said, heard, word, character, other in rows
    ]


def _texts(
    records: Sequence[Record], normaliser: Callable[[str, str], str]
) -> tuple[list[str], list[str]]:
    said = [normaliser(record["said"], record["language"]) for record in records]
    heard = [normaliser(record["heard"], record["language"]) for record in records]
    return said, heard


def by(items: Iterable[Heard], name: Callable[[Heard], str]) -> dict[str, list[Heard]]:
    """In groups, in the order in which their names come up."""
    groups: dict[str, list[Heard]] = {}
    for item in items:
        groups.setdefault(name(item), []).append(item)
    return groups


def by_language(items: Sequence[Heard]) -> dict[str, list[Heard]]:
    """In groups by language, in alphabetical order, and all."""
    groups = by(sorted(items, key=lambda item: item.language), lambda item: item.language)
    return {**groups, ALL: list(items)} if items else {}


def headline(items: Sequence[Heard]) -> list[Heard]:
    """What figures of a language are taken of: not synthetic sets, where there are others."""
    return without_synthetic(items, dataset)


def clean(items: Sequence[Heard]) -> list[Heard]:
    """Recordings as they are."""
    return [item for item in items if condition(item) == CLEAN]


def condition(item: Heard) -> str:
    """Under which a recording was heard."""
    return str(item["condition"])


def dataset(item: Heard) -> str:
    """The name of its set."""
    return str(item["dataset"])


def word_error_groups(items: Sequence[Heard]) -> dict[str, list[Heard]]:
    """The name of every word error rate of the report -> what it is taken of, each clip once.

    "wer.hi": recordings as they are; "wer.hi.telephone"; "wer.hi.fleurs": a set as it is.
    """
    shown = headline(items)
    groups = {f"wer.{language}": group for language, group in by_language(clean(shown)).items()}
    for own, kind in ((shown, condition), (clean(items), dataset)):
        for language, group in by_language(own).items():
            groups |= {f"wer.{language}.{name}": each for name, each in by(group, kind).items()}
    return groups


def word_error_rate(items: Sequence[Heard]) -> Interval:
    """Of a group, with its interval."""
    return _rate([item.words.errors for item in items])


def character_error_rate(items: Sequence[Heard]) -> Interval:
    """Of a group, with its interval."""
    return _rate([item.characters for item in items])


def published_rate(items: Sequence[Heard]) -> Interval:
    """The word error rate with Whisper's normaliser."""
    return _rate([item.published for item in items])


def _rate(errors: Sequence[Errors]) -> Interval:
    return ratio([each.wrong for each in errors], [each.said for each in errors])


def errors_of(items: Sequence[Heard]) -> Errors:
    """Of words, summed up."""
    return total(item.words.errors for item in items)


def confusions_of(items: Sequence[Heard]) -> Counter[tuple[str, str]]:
    """Of words: what was taken for what, how often."""
    return sum((item.words.confusions for item in items), Counter[tuple[str, str]]())


def duration_class(seconds: float) -> str:
    """For tables by length."""
    bounds: Mapping[str, float] = {"< 2 s": 2, "2 to 4 s": 4, "4 to 8 s": 8, "8 to 16 s": 16}
    return next((name for name, bound in bounds.items() if seconds < bound), "≥ 16 s")
