"""Questions that a person has labelled by how complex they are."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from server.language.router import Complexity

_FILE = Path(__file__).with_suffix(".toml")


@dataclass(frozen=True, slots=True)
class Query:
    """A question and its label."""

    text: str
    language: str
    complexity: Complexity


@cache
def labelled() -> list[Query]:
    """All of them, 63 a language."""
    data = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return [
        Query(text, language, Complexity(name))
        for language, groups in data.items()
        for name, texts in groups.items()
        for text in texts
    ]
