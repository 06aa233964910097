"""What the callers say: `words.toml`, by language."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

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


def _words(language: str, entry: Mapping[str, list[str]]) -> Words:
    rows = {
        name: tuple(tuple(row) for row in entry[name])
        for name in ("questions", "corrections", "halves")
    }
    lists = {name: tuple(entry[name]) for name in ("long", "interruptions", "backchannels")}
    return Words(language=language, greeting=str(entry["greeting"]), **lists, **rows)  # type: ignore[arg-type]
