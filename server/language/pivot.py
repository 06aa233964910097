"""What must survive a translation: numbers, amounts of money, dates, countries, languages, names.

Placeholders would protect them, but small models drop or translate those too. So what stands in the
source is looked for in the translation, by value: a number in digits may come out in words, Monday
as Lunes, France as Pransya (`places.py`). What is lost makes the caller's question go the direct
way. Pure: texts in, losses out.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache

from babel import Locale

from server.language.numerals import folded, numbers_in
from server.language.places import lost_places, place_words
from server.language.resources import babel_locale, currencies, script, translated_capitals

_WORD = re.compile(r"[^\W\d_](?:[\w\u0900-\u097f]|['’](?=\w))*")
_SENTENCE_END = re.compile(r"[.?!।:…\"“]\s*$|^\W*$")
_SOUNDS = str.maketrans(
    {
        **dict.fromkeys("कखcqxक़", "k"),
        **dict.fromkeys("गघ", "g"),
        **dict.fromkeys("चछ", "c"),
        **dict.fromkeys("जझज़zj", "j"),
        **dict.fromkeys("टठतथ", "t"),
        **dict.fromkeys("डढदधड़ढ़", "d"),
        **dict.fromkeys("नणङञंँ", "n"),
        **dict.fromkeys("पफफ़f", "p"),
        **dict.fromkeys("बभ", "b"),
        **dict.fromkeys("म", "m"),
        **dict.fromkeys("रऋृ", "r"),
        **dict.fromkeys("लळ", "l"),
        **dict.fromkeys("वw", "v"),
        **dict.fromkeys("शषस", "s"),
    }
)
_CONSONANTS = frozenset("kgcjtdnpbmrlvs")


def lost_in_translation(
    text: str, language: str, translation: str, translated_to: str
) -> tuple[str, ...]:
    """What of the text's is not in the translation: "number 9", "day 0", "name Ana"."""
    if not translation.strip():
        return ("everything",)
    before, after = _values(text, language), _values(translation, translated_to)
    lost = [*(before - after), *(f"added {value}" for value in _numbers(after - before))]
    lost += lost_places(text, language, translation, translated_to)
    names = _lost_names(text, language, translation, translated_to)
    return (*lost, *(f"name {name}" for name in names))


def _values(text: str, language: str) -> Counter[str]:
    """Numbers with how often they are named; days, months and currencies once."""
    counted = Counter(f"number {value.normalize():f}" for value in numbers_in(text, language))
    words = set(re.findall(r"[^\W\d_][\w\u0900-\u097f]*", folded(text)))
    kinds = {f"{kind}" for word in words for kind in _calendar(language).get(word, ())}
    money = {f"currency {code}" for code in _currencies_in(text, language)}
    return counted + Counter(kinds | money)


def _numbers(values: Counter[str]) -> Iterator[str]:
    return (value for value in values if value.startswith("number "))


def _currencies_in(text: str, language: str) -> Iterator[str]:
    words = set(re.findall(r"[^\W\d_]+[\w\u0900-\u097f]*|[^\w\s]", folded(text)))
    for code, names in currencies(language).items():
        if not words.isdisjoint(names):
            yield code


@cache
def _calendar(language: str) -> Mapping[str, tuple[str, ...]]:
    """Names of days and months, folded: "monday" is ("day 0",)."""
    locale = Locale.parse(babel_locale(language))
    found: dict[str, tuple[str, ...]] = {}
    for kind, names in (("day", locale.days), ("month", locale.months)):
        for number, name in names["stand-alone"]["wide"].items():
            found[folded(name)] = (*found.get(folded(name), ()), f"{kind} {number}")
    return found


# ---- names --------------------------------------------------------------------------------------


def _lost_names(text: str, language: str, translation: str, translated_to: str) -> list[str]:
    """Capitalised words within a sentence of either that the other lacks."""
    lost = []
    for one, its, other, others in (
        (text, language, translation, translated_to),
        (translation, translated_to, text, language),
    ):
        is_spelled = script(its) == script(others)
        known = {_spelling(word, is_spelled) for word in _WORD.findall(other)}
        names = _names(one, its)
        lost += [name for name in names if _spelling(name, is_spelled) not in known]
    return list(dict.fromkeys(lost))


def _names(text: str, language: str) -> Iterator[str]:
    """Words with a capital that are neither the first of a sentence nor known to be translated."""
    for match in _WORD.finditer(text):
        word = match[0]
        starts = _SENTENCE_END.search(text[: match.start()]) is not None
        if word[0].isupper() and len(word) > 1 and not starts and not _is_common(word, language):
            yield word


def _is_common(word: str, language: str) -> bool:
    """A day, a month, a language, a country: a word with a capital that a translation changes."""
    return folded(word) in _translated(language)


@cache
def _translated(language: str) -> frozenset[str]:
    locale = Locale.parse(babel_locale(language))
    names = [*locale.territories.values(), *locale.languages.values(), *_calendar(language)]
    words = {folded(word) for name in names for word in _WORD.findall(str(name))}
    return frozenset({*words, *place_words(language), *translated_capitals(language)})


def _spelling(word: str, is_spelled: bool) -> str:
    """The word, or in another script the consonants that both have: Priya and प्रिया are "pr"."""
    plain = folded(word).replace("’s", "").replace("'s", "")
    if is_spelled:
        return plain
    sounds = plain.replace("ph", "f").replace("sh", "s").replace("ch", "च").replace("th", "t")
    return "".join(sign for sign in sounds.translate(_SOUNDS) if sign in _CONSONANTS)
