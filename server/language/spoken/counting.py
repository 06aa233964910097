"""Numbers that are nothing else: ordinals, fractions, ranges, sums, and those that count."""

import re
from collections.abc import Mapping
from functools import cache, partial
from typing import Any

from server.language.resources import spoken_rules
from server.language.spoken.aligned import AlignedText
from server.language.spoken.numbers import numbers
from server.language.spoken.patterns import NUMBER_START

_RANGE_END = r"(?=[$€₱₹]?\d)"
_MINUS = re.compile(rf"(?<![\w).])[-−]{_RANGE_END}")
_RANGE = re.compile(
    rf"(?<=[\d%hm€°])(?<!-\d)\s?[-–—]\s?{_RANGE_END}|(?<=\.m\.)\s?[-–]\s?{_RANGE_END}"
)
_DIFFERENCE = re.compile(r"(?<=\d)\s?[-–]\s?(?=[$€£₱₹]?\d[\d.,]*\s?=)")
_NOUN = r"(?=[ \u00a0](?P<noun>[^\W\d_][\w\u0900-\u0963’'-]*))?"


class Counting:
    """How one locale writes and says numbers."""

    def __init__(self, locale: str) -> None:
        rules = spoken_rules(locale)
        self._words: Mapping[str, str] = rules["words"]
        self._numbers = numbers(locale)
        self._names = re.compile(rules["numbers"].get("names", "(?!)"), re.IGNORECASE)
        self._minus: str = rules["numbers"]["minus"]
        self._ordinals = {
            re.compile(NUMBER_START + pattern): name for pattern, name in rules["ordinals"].items()
        }
        self._fractions: Mapping[str, Any] = rules["fractions"]
        whole = r"(?:(?P<whole>\d+) ?)?" if "fraction_after" in self._words else ""
        fractions = "|".join(map(re.escape, self._fractions))
        self._fraction = re.compile(rf"{NUMBER_START}{whole}(?:{fractions})(?![\d/])")
        self._out_of = re.compile(rf"{NUMBER_START}(?P<part>\d{{1,3}})/(?P<all>\d{{1,3}})(?![\d/])")
        self._operators: Mapping[str, str] = rules["operators"]
        operators = "".join(map(re.escape, self._operators))
        self._operator = re.compile(rf"(?<=\d)\s?(?P<sign>[{operators}])\s?(?=\d)")
        self._number = re.compile(rf"(?P<number>{self._numbers.written}){_NOUN}")

    def say_dashes(self, text: AlignedText) -> AlignedText:
        """The dashes between numbers and before them in words."""
        text = text.sub(_DIFFERENCE, f" {self._operators['−']} ")
        text = text.sub(_RANGE, f" {self._words['range']} ")
        return text.sub(_MINUS, f"{self._minus} ")

    def say(self, text: AlignedText) -> AlignedText:
        """All numbers that are left in words."""
        for written, rules in self._ordinals.items():
            text = text.sub(written, partial(self._ordinal, rules))
        text = text.sub(self._fraction, lambda match: str(self._fractions[match[0]]))
        text = text.sub(self._out_of, self._say_out_of)
        text = text.sub(self._operator, lambda match: f" {self._operators[match['sign']]} ")
        return text.sub(self._number, self._say)

    def _ordinal(self, rules: str, match: re.Match[str]) -> str:
        return self._numbers.spell(int(match["number"]), rules)

    def _say_out_of(self, match: re.Match[str]) -> str:
        part, total = (self._numbers.say(match[name]) for name in ("part", "all"))
        return self._words["out_of"].format(part, total)

    def _say(self, match: re.Match[str]) -> str:
        is_name = self._names.search(match.string[: match.start()]) is not None
        said = self._numbers.say(match["number"], "" if is_name else match["noun"] or "")
        before, after = match.string[: match.start()][-1:], match.string[match.end() :][:1]
        left = " " if before.isalpha() else ""
        right = " " if after.isalpha() else ""
        return f"{left}{said}{right}"


@cache
def counting(locale: str) -> Counting:
    """Of a locale that has rules for speech."""
    return Counting(locale)


def say_dashes(text: AlignedText, locale: str) -> AlignedText:
    """The dashes between numbers and before them in words: before the numbers are read."""
    return counting(locale).say_dashes(text)


def say_numbers(text: AlignedText, locale: str) -> AlignedText:
    """All numbers that are left in words."""
    return counting(locale).say(text)
