"""Abbreviations, and signs that stand for words."""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache, partial

from server.language.resources import spoken_rules
from server.language.spoken.aligned import AlignedText
from server.language.spoken.patterns import full_stop, one_of

_PICTURES = ("So", "Sk")  # Unicode's categories of signs that no voice should name
_ARROWS = "".join(map(chr, range(0x2190, 0x2200)))


class Shorthand:
    """What one locale abbreviates."""

    def __init__(self, locale: str) -> None:
        rules = spoken_rules(locale)
        self._patterns = {re.compile(one): said for one, said in rules["patterns"].items()}
        self._abbreviations: Mapping[str, str] = rules["abbreviations"]
        self._abbreviation = re.compile(rf"(?<!\.){one_of(self._abbreviations)}")
        self._joined = {re.compile(one): said for one, said in rules.get("joined", {}).items()}
        self._signs: Mapping[str, str] = rules["signs"]
        self._sign = re.compile("|".join(map(re.escape, self._signs)))

    def say_abbreviations(self, text: AlignedText) -> AlignedText:
        """Abbreviations in full."""
        for pattern, words in self._patterns.items():
            text = text.sub(pattern, partial(_in_full, words))
        return text.sub(
            self._abbreviation, lambda match: self._abbreviations[match[0]] + full_stop(match)
        )

    def say_signs(self, text: AlignedText) -> AlignedText:
        """Signs such as & in words; pictures are left out."""
        text = text.sub(self._sign, lambda match: f" {self._signs[match[0]]} ")
        for pattern, words in self._joined.items():
            text = text.sub(pattern, words)
        pictures = "".join(sign for sign in set(text.text) if _is_picture(sign))
        return text.sub(re.compile(f"[{re.escape(pictures)}]"), " ") if pictures else text


@cache
def shorthand(locale: str) -> Shorthand:
    """Of a locale that has rules for speech."""
    return Shorthand(locale)


def say_abbreviations(text: AlignedText, locale: str) -> AlignedText:
    """Abbreviations in full: before the numbers that some of them announce."""
    return shorthand(locale).say_abbreviations(text)


def say_signs(text: AlignedText, locale: str) -> AlignedText:
    """Signs such as & in words: when none is part of a number any more."""
    return shorthand(locale).say_signs(text)


def _in_full(words: str, match: re.Match[str]) -> str:
    return match.expand(words) + full_stop(match)


def _is_picture(sign: str) -> bool:
    return unicodedata.category(sign) in _PICTURES or sign in _ARROWS
