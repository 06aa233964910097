"""The data of each language, `server/language/data/<language>/`: a new one is a new folder."""

import tomllib
from functools import cache
from importlib.resources import files

_DATA = files("server.language") / "data"


def read(language: str, name: str) -> str:
    """A file of a language; empty when that language has none of this name."""
    file = _DATA / language / name
    return file.read_text(encoding="utf-8") if file.is_file() else ""


@cache
def abbreviations(language: str) -> frozenset[str]:
    """Words after which a full stop does not end a sentence, case-folded, without that stop."""
    return _lines(language, "abbreviations.txt")


@cache
def backchannels(language: str) -> frozenset[str]:
    """What a listener says without wanting the floor, case-folded."""
    return _lines(language, "backchannels.txt")


def _lines(language: str, name: str) -> frozenset[str]:
    lines = read(language, name).splitlines()
    return frozenset(line.casefold() for line in lines if line and not line.startswith("#"))


@cache
def symbols(language: str) -> dict[str, str]:
    """Signs, and how they are said aloud."""
    return {sign: str(word) for sign, word in tomllib.loads(read(language, "symbols.toml")).items()}
