"""Rules that several languages share."""

import re
import unicodedata
from collections.abc import Callable
from functools import cache

from unicode_rbnf import RbnfEngine

Rule = Callable[[str], str]

_ANNOTATION = re.compile(r"[<\[][^>\]]*[>\]]")
_NUMBER = re.compile(r"(?<![^\W_])\d+(?![^\W_])")
_POINTS = re.compile(r"(?<=\d)[.\u00a0\u202f ](?=\d{3}(?!\d))")
_COMMAS = re.compile(r"(?<=\d),(?=\d{2,3}(?:,|\b))")
_MOST_DIGITS = 15  # longer ones are codes, not numbers


def compatible_characters(text: str) -> str:
    """One code for one character (NFKC): composed accents, plain letters for full-width ones."""
    return unicodedata.normalize("NFKC", text)


def without_invisible_characters(text: str) -> str:
    """Joiners, byte order marks and soft hyphens go: they are not heard (category Cf)."""
    return "".join(letter for letter in text if unicodedata.category(letter) != "Cf")


def lower_case(text: str) -> str:
    """Capitals are not heard."""
    return text.lower()


def without_annotations(text: str) -> str:
    """What stands in square or angle brackets tells of the sound ("[laughs]") and is not said."""
    return _ANNOTATION.sub(" ", text)


def without_thousands_points(text: str) -> str:
    """1.250 and 1 250 are 1250, as Spanish and French write it."""
    return _POINTS.sub("", text)


def without_thousands_commas(text: str) -> str:
    """1,250 is 1250, and so is the Indian 1,00,000 100000."""
    return _COMMAS.sub("", text)


def numbers_in_words(rbnf_language: str) -> Rule:
    """A rule: whole numbers are written as they are said, by Unicode's rules of that language."""

    def rule(text: str) -> str:
        return _NUMBER.sub(lambda match: _spelled(match.group(), rbnf_language), text)

    rule.__name__ = f"numbers_in_words_{rbnf_language}"
    return rule


def ligatures_apart(text: str) -> str:
    """œ and æ are oe and ae, which keyboards have."""
    return text.replace("œ", "oe").replace("æ", "ae")


def punctuation_to_spaces(text: str) -> str:
    """Whatever is neither letter, digit nor mark parts words; vowel signs and accents stay."""
    return "".join(letter if unicodedata.category(letter)[0] in "LMN" else " " for letter in text)


def _spelled(digits: str, language: str) -> str:
    if len(digits) > _MOST_DIGITS or (len(digits) > 1 and digits[0] == "0"):
        return " ".join(_in_words(int(digit), language) for digit in digits)
    return _in_words(int(digits), language)


@cache
def _in_words(number: int, language: str) -> str:
    return _engine(language).format_number(number).text.replace("\u00ad", "")


@cache
def _engine(language: str) -> RbnfEngine:
    return RbnfEngine.for_language(language)
