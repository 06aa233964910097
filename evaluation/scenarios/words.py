"""What the callers say: `words.toml`, by language."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("words.toml")

Question = tuple[str, str]  # what is asked, and the words one of which the right answer has


@dataclass(frozen=True, slots=True)
class Words:
    """One language; the file says what is what."""

    language: str
    long: tuple[str, ...]
    questions: tuple[Question, ...]
    interruptions: tuple[str, ...]
    corrections: tuple[tuple[str, str, str], ...]
    halves: tuple[tuple[str, str], ...]
    backchannels: tuple[str, ...]
    greeting: str


@cache
def words_by_language() -> Mapping[str, Words]:
    """Language -> what is said in it."""
    data = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return {language: _words(language, entry) for language, entry in data.items()}


def _words(language: str, entry: Mapping[str, Any]) -> Words:
    return Words(
        language,
        long=tuple(entry["long"]),
        questions=tuple((said, expects) for said, expects in entry["questions"]),
        interruptions=tuple(entry["interruptions"]),
        corrections=tuple((asked, said, expects) for asked, said, expects in entry["corrections"]),
        halves=tuple((first, second) for first, second in entry["halves"]),
        backchannels=tuple(entry["backchannels"]),
        greeting=entry["greeting"],
    )
