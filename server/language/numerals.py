"""The numbers that a text names, in digits or in words: whether they survive a translation is
checked by them, and how many there are tells something of how complex a question is.

The words are read by turning the rules for writing them around (CLDR's, by `unicode_rbnf`, or those
of a language's own `numbers.xml`). "One" is left out where it is a word: it is mostly an article.
"""

import re
import tomllib
import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from unicode_rbnf import RbnfEngine

from server.language.resources import read

_TOKENS = re.compile(r"\d+(?:[.,\u00a0\u202f]\d+)*|[^\W\d_]+(?:\w|[\u0900-\u097f])*")
_GROUPED = re.compile(r"\d{1,3}(?:[.,\u00a0\u202f]\d{2,3})*[.,\u00a0\u202f]\d{3}")
_SPELLED_BELOW = 1000  # beyond it, words of scale

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Numerals:
    """How one language says numbers."""

    values: Mapping[Words, int]
    longest: int  # words of one that is spelled
    scales: Mapping[str, int]  # thousand, million
    links: frozenset[str]  # between the parts of one number: "and"


def numbers_in(text: str, language: str) -> list[Decimal]:
    """In their order: ["nine thirty" in "en"] is 9, 30."""
    tokens = _tokens(text)
    return list(_read(tokens, _numerals(language)))


def folded(text: str) -> str:
    """Case-folded, and Latin letters without their accents."""
    parts: list[str] = []
    for sign in unicodedata.normalize("NFD", text.casefold()):
        if unicodedata.combining(sign) and parts and parts[-1].isascii():
            continue
        parts.append(sign)
    return unicodedata.normalize("NFC", "".join(parts))


def _read(tokens: list[str], numerals: _Numerals) -> Iterator[Decimal]:
    position = 0
    while position < len(tokens):
        value, position, is_word = _one(tokens, position, numerals)
        if value is not None and not (is_word and value == 1):
            yield value


def _one(tokens: list[str], position: int, numerals: _Numerals) -> tuple[Decimal | None, int, bool]:
    """The number that begins here, if any, where it ends, and whether it is in words."""
    total, is_word = Decimal(0), True
    begun = False
    while True:
        part, end = _part(tokens, position, numerals)
        scale = numerals.scales.get(tokens[end]) if end < len(tokens) else None
        if part is None and scale is None:
            return (total if begun else None), (position if begun else position + 1), is_word
        if begun and part is not None and scale is None and total % 1000:
            return total, position, is_word
        is_word = is_word and not tokens[position][0].isdecimal()
        total = total + (1 if part is None else part) * (scale or 1)
        begun = True
        position = end + (scale is not None)
        if scale is None:
            return total, position, is_word
        if position + 1 < len(tokens) and tokens[position] in numerals.links:
            following, _ = _part(tokens, position + 1, numerals)
            position += following is not None


def _part(tokens: list[str], position: int, numerals: _Numerals) -> tuple[Decimal | None, int]:
    """Digits, or as many words as spell one number below a thousand, and where they end."""
    if position >= len(tokens):
        return None, position
    if tokens[position][0].isdecimal():
        return _value(tokens[position]), position + 1
    for length in range(min(numerals.longest, len(tokens) - position), 0, -1):
        value = numerals.values.get(tuple(tokens[position : position + length]))
        if value is not None:
            return Decimal(value), position + length
    return None, position


def _value(written: str) -> Decimal:
    """12,50,000 and 1.250.000 are grouped, 2.5 and 2,5 are not."""
    digits = "".join(str(int(sign)) if sign.isdecimal() else sign for sign in written)
    if _GROUPED.fullmatch(digits):
        return Decimal(re.sub(r"\D", "", digits))
    whole, *fraction = re.split(r"\D", digits)
    return Decimal(f"{whole}.{''.join(fraction)}" if fraction else whole).normalize()


def _tokens(text: str) -> list[str]:
    return _TOKENS.findall(folded(text))


@cache
def _numerals(language: str) -> _Numerals:
    data = tomllib.loads(read(language, "numerals.toml"))
    engine = RbnfEngine.for_language(data.get("cldr", language))
    if own := read(language, "numbers.xml"):
        engine.load_xml(ET.fromstring(own))
    rules = [name for name in engine.rulesets if _counts(name)]
    values = {
        tuple(_tokens(text)): value
        for value in range(_SPELLED_BELOW)
        for text in engine.format_number(value, ruleset_names=rules).text_by_ruleset.values()
    }
    values |= {tuple(_tokens(words)): value for words, value in data.get("words", {}).items()}
    return _Numerals(
        values,
        max(len(words) for words in values),
        {folded(word): value for word, value in data.get("scales", {}).items()},
        frozenset(data.get("links", ())),
    )


def _counts(ruleset: str) -> bool:
    """Whether a rule set of CLDR's spells how many, not which one or when."""
    parts = ruleset.split("-")
    return parts[0] == "spellout" and "ordinal" not in parts and "year" not in parts
