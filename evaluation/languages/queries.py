"""Questions that a person has labelled by how complex they are."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from server.language.router import Complexity

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Query:
    """A question and its label."""

    text: str
    language: str
    complexity: Complexity


def labelled() -> list[Query]:
    """63 a language; keywords of the router were changed after a look at its errors there."""
    return _read("queries.toml")


def held_out() -> list[Query]:
    """21 a language, labelled before the router had read them and never used to change it."""
    return _read("held_out_queries.toml")


@cache
def _read(name: str) -> list[Query]:
    data = tomllib.loads((_FOLDER / name).read_text(encoding="utf-8"))
    return [
        Query(text, language, Complexity(label))
        for language, groups in data.items()
        for label, texts in groups.items()
        for text in texts
    ]
