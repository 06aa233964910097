"""The data of each language, `server/language/data/<language>/`: a new one is a new folder."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from server.language.words import words_of

_DATA = files("server.language") / "data"


@dataclass(frozen=True, slots=True)
class EndingWords:
    """How a turn ends that is not complete; phrases are tuples of words, all case-folded."""

    fillers: frozenset[tuple[str, ...]]
    unfinished: frozenset[tuple[str, ...]]  # words that no turn ends with
    numbers: frozenset[str]  # words of a number that is being dictated
    number_names: frozenset[str]  # words that announce one


@dataclass(frozen=True, slots=True)
class LanguageRequests:
    """How callers ask for a language; "{language}" stands for one of the names in a phrase."""

    names: Mapping[str, tuple[str, ...]]  # of each language by its code
    anywhere: tuple[str, ...]  # phrases that may be a part of what is said
    alone: tuple[str, ...]  # phrases that have to be all of it


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


@cache
def function_words(language: str) -> frozenset[str]:
    """Words that hold a text together and that no other language here has, case-folded."""
    return _lines(language, "function_words.txt")


def _lines(language: str, name: str) -> frozenset[str]:
    lines = read(language, name).splitlines()
    return frozenset(line.casefold() for line in lines if line and not line.startswith("#"))


def regions() -> tuple[str, ...]:
    """Regions in which text is said in another way than the language's folder has it: es_ES."""
    return tuple(
        sorted(
            f"{folder.name}_{file.name[len('spoken_') : -len('.toml')]}"
            for folder in _DATA.iterdir()
            if folder.is_dir()
            for file in folder.iterdir()
            if file.name.startswith("spoken_")
        )
    )


@cache
def spoken_rules(locale: str) -> Mapping[str, Any]:
    """How text is said in a language ("es") or in a region of it ("es_ES"); empty when unknown."""
    language, _, region = locale.partition("_")
    rules = tomllib.loads(read(language, "spoken.toml"))
    return _merged(rules, tomllib.loads(read(language, f"spoken_{region}.toml")))


@cache
def ending_words(language: str) -> EndingWords:
    """What tells that a turn is not complete."""
    lists: Mapping[str, list[str]] = tomllib.loads(read(language, "endpointing.toml"))
    return EndingWords(
        fillers=_phrases(lists.get("fillers", ())),
        unfinished=_phrases(lists.get("unfinished", ())),
        numbers=frozenset(word.casefold() for word in lists.get("numbers", ())),
        number_names=frozenset(word.casefold() for word in lists.get("number_names", ())),
    )


@cache
def completeness_weights(language: str) -> Mapping[str, float]:
    """The classifier's weights by feature; empty for a language that has none."""
    return _weights(language, "completeness.tsv")


@cache
def identification_weights(language: str) -> Mapping[str, float]:
    """Weights by character n-gram, and "bias"; empty for a language that has none."""
    return _weights(language, "identification.tsv")


@cache
def keywords(language: str) -> Mapping[str, frozenset[tuple[str, ...]]]:
    """Words that tell how complex a question is, by what they ask for."""
    data: Mapping[str, list[str]] = tomllib.loads(read(language, "complexity.toml"))
    return {name: _phrases(lines) for name, lines in data.items()}


@cache
def complexity_weights() -> Mapping[str, float]:
    """The classifier's weights by complexity and feature, the same for all languages."""
    return _weights(".", "complexity.tsv")


@cache
def currencies(language: str) -> Mapping[str, frozenset[str]]:
    """What each currency is called, by its code of ISO 4217."""
    data: Mapping[str, Any] = tomllib.loads(read(language, "names.toml"))
    return {code: frozenset(names) for code, names in data.get("currencies", {}).items()}


@cache
def translated_capitals(language: str) -> frozenset[str]:
    """Words with a capital that are no names, or that are translated, case-folded."""
    data: Mapping[str, Any] = tomllib.loads(read(language, "names.toml"))
    return frozenset(data.get("translated_capitals", ()))


@cache
def also_called(language: str, code: str) -> tuple[str, ...]:
    """What a country (FR) or a language (fr) is called besides its name in CLDR."""
    data: Mapping[str, Any] = tomllib.loads(read(language, "names.toml"))
    return tuple(data.get("also_called", {}).get(code, ()))


@cache
def not_names(language: str) -> tuple[str, ...]:
    """Names of countries and languages that are first of all other words."""
    data: Mapping[str, Any] = tomllib.loads(read(language, "names.toml"))
    return tuple(data.get("not_names", ()))


def babel_locale(language: str) -> str:
    """CLDR's code of a language, for Babel."""
    return {"tl": "fil"}.get(language, language)


@cache
def script(language: str) -> str:
    """Unicode's name of the script that it alone is written in; empty for the Latin one."""
    return str(tomllib.loads(read(language, "language.toml")).get("script", ""))


@cache
def language_requests(language: str) -> LanguageRequests:
    """How its speakers ask for a language."""
    data: Mapping[str, Any] = tomllib.loads(read(language, "requests.toml"))
    names: Mapping[str, list[str]] = data.get("names", {})
    return LanguageRequests(
        names={code: tuple(group) for code, group in names.items()},
        anywhere=tuple(data.get("anywhere", ())),
        alone=tuple(data.get("alone", ())),
    )


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Tables within tables, those of `over` first."""
    merged = dict(base)
    for key, value in over.items():
        both_tables = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merged(merged[key], value) if both_tables else value
    return merged


def _weights(language: str, name: str) -> dict[str, float]:
    rows = (line.split("\t") for line in read(language, name).splitlines())
    return {feature: float(weight) for feature, weight in rows}


def _phrases(lines: Iterable[str]) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(words_of(line)) for line in lines)
