"""What a language is called, and what the server itself says in it."""

import tomllib
from enum import StrEnum
from functools import cache
from typing import Any

from server.language.resources import read


class Phrase(StrEnum):
    """What the server says of its own accord."""

    REPEAT = "repeat"  # the transcript is unclear
    FAILURE = "failure"  # an engine failed or is overloaded
    HANDOVER = "handover"  # several transcripts in a row were unclear
    STILL_THERE = "still_there"  # nobody has spoken for long
    GOODBYE = "goodbye"  # nor since that was asked


def language_name(language: str) -> str:
    """Its name in English, as a model's instructions want it; the code itself when unknown."""
    return str(_facts(language).get("name", language))


def own_name(language: str) -> str:
    """Its name in itself; the code when unknown."""
    return str(_facts(language).get("own_name", language))


def phrase(words: Phrase, language: str) -> str:
    """The server's own words, in English for a language that has none."""
    phrases = _facts(language).get("phrases") or _facts("en")["phrases"]
    return str(phrases[words.value])


def acknowledgement(language: str, last: str) -> str:
    """A word of patience, never the `last` one again; empty for a language that has none."""
    words: list[str] = _facts(language).get("acknowledgements", [])
    if not words:
        return ""
    return words[(words.index(last) + 1) % len(words) if last in words else 0]


@cache
def _facts(language: str) -> dict[str, Any]:
    return tomllib.loads(read(language, "language.toml"))
