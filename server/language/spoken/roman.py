"""Roman numerals into digits, where a word announces them: voices say "Roman two"."""

import re
from collections.abc import Mapping
from functools import cache, partial

from server.language.resources import spoken_rules
from server.language.spoken.aligned import AlignedText

_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}
_NUMERAL = "(?P<roman>X{0,3}(?:IX|IV|V?I{1,3}|V)|X{1,3})"  # up to 39


@cache
def _patterns(locale: str) -> Mapping[re.Pattern[str], str]:
    rules: Mapping[str, str] = spoken_rules(locale).get("roman", {})
    return {re.compile(one.replace("ROMAN", _NUMERAL)): said for one, said in rules.items()}


def roman_as_digits(text: AlignedText, locale: str) -> AlignedText:
    """Chapter IV as Chapter 4, Henry VIII as Henry the 8th, by the language's own patterns."""
    for pattern, written in _patterns(locale).items():
        text = text.sub(pattern, partial(_in_digits, written))
    return text


def _in_digits(written: str, match: re.Match[str]) -> str:
    values = [_VALUES[letter] for letter in match["roman"]]
    following = [*values[1:], 0]
    pairs = zip(values, following, strict=True)
    total = sum(-value if value < after else value for value, after in pairs)
    return match.expand(written).replace("ROMAN", str(total))
