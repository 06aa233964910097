"""Countries and languages that a text names, by CLDR: a translation has to name the same ones.

A name is looked for as it is written, and in a translation by its beginning, since "German" may
become "alemana". What CLDR does not list ("Pransya", "the UK") stands in a language's `names.toml`.
Pure: texts in, codes out.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from babel import Locale
from babel.languages import get_official_languages

from server.language.numerals import folded
from server.language.resources import also_called, babel_locale, not_names, script

_WORD = re.compile(r"[^\W\d_][\w\u0900-\u097f]*")
_PARTS = re.compile(r"[^()]+")  # "Myanmar (Burma)" is two names
_NO_COUNTRIES = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"})
_UNTRANSLATED = frozenset({"en", "tl"})  # write languages with a capital, as names
_NASAL = re.compile("[ङञणनम]्(?=[क-ह])")
_LONGEST_ENDING = 2
_SHORTEST_STEM = 4

Name = tuple[str, ...]


def lost_places(text: str, language: str, translation: str, translated_to: str) -> Iterator[str]:
    """Those that the translation lacks: "country FR", "language tl"."""
    words = [_spelling(word) for word in _WORD.findall(translation)]
    for code, name in _named(text, language):
        names = [name, *_names_of(translated_to).get(code, ())]
        if not any(_has(words, each) for each in names):
            yield f"{'country' if code.isupper() else 'language'} {code}"


def place_words(language: str) -> Iterator[str]:
    """All words of such names, folded."""
    for names in _names_of(language).values():
        for name in names:
            yield from name


def _named(text: str, language: str) -> Iterator[tuple[str, Name]]:
    """(code, name) of what a text names, longer names first."""
    written = _WORD.findall(text)
    words = [_spelling(word) for word in written]
    position = 0
    while position < len(words):
        found = _at(words[position:], language)
        if found is None or not _counts(found[0], written[position], language):
            position += 1
            continue
        yield found
        position += len(found[1])


def _at(words: Sequence[str], language: str) -> tuple[str, Name] | None:
    for code, name in _by_first_word(language).get(words[0], ()):
        if tuple(words[: len(name)]) == name:
            return code, name
    return None


def _counts(code: str, written: str, language: str) -> bool:
    """Whether it is written as a name: "china" is porcelain, "français" a language."""
    is_lower = not script(language) and written[0].islower()
    return not is_lower or (code.islower() and language not in _UNTRANSLATED)


def _has(words: Sequence[str], name: Name) -> bool:
    """Whether all words of a name are there, but for their endings."""
    stems = [word[: max(_SHORTEST_STEM, len(word) - _LONGEST_ENDING)] for word in name]
    return all(any(word.startswith(stem) for word in words) for stem in stems)


@cache
def _by_first_word(language: str) -> Mapping[str, list[tuple[str, Name]]]:
    found: dict[str, list[tuple[str, Name]]] = {}
    for code, names in _names_of(language).items():
        for name in names:
            if name not in _others(language):
                found.setdefault(name[0], []).append((code, name))
    for candidates in found.values():
        candidates.sort(key=lambda candidate: -len(candidate[1]))
    return found


@cache
def _names_of(language: str) -> Mapping[str, tuple[Name, ...]]:
    """Countries by their codes of ISO 3166 (FR), languages by those of ISO 639 (fr)."""
    locale = Locale.parse(babel_locale(language))
    names: dict[str, list[str]] = {}
    for code in _codes():
        name = (locale.territories if code.isupper() else locale.languages).get(code)
        names[code] = [*(_PARTS.findall(name) if name else ()), *also_called(language, code)]
    split = {code: tuple(_split(name) for name in each) for code, each in names.items()}
    return {code: tuple(name for name in each if name) for code, each in split.items()}


@cache
def _codes() -> Sequence[str]:
    """Countries, languages that are official in one of them, and Tagalog."""
    territories = map(str, Locale.parse("en").territories)
    countries = [
        code
        for code in territories
        if len(code) == 2 and code.isalpha() and code not in _NO_COUNTRIES
    ]
    official = {
        language.partition("_")[0]
        for country in countries
        for language in get_official_languages(country, de_facto=True)
    }
    return (*countries, *sorted({code for code in official if len(code) == 2} | {"tl"}))


@cache
def _others(language: str) -> frozenset[Name]:
    """Names that are first of all other words: "Hindi" is "no" in Tagalog."""
    return frozenset(_split(name) for name in not_names(language))


def _split(name: str) -> Name:
    return tuple(_spelling(word) for word in _WORD.findall(name))


def _spelling(word: str) -> str:
    """Folded; without what Hindi writes now one way, now another (हिन्दी, हिंदी; फ़्रांस, फ्रांस)."""
    return _NASAL.sub("ं", folded(word).replace("\u093c", "").replace("ँ", "ं"))
