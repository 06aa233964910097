"""Text for the ear: what a voice is given for a sentence, and how it maps back to its words."""

import re
import unicodedata
from collections.abc import Iterable

from server.language.resources import spoken_rules
from server.language.spoken.addresses import say_addresses, say_phones
from server.language.spoken.aligned import AlignedText, Spoken
from server.language.spoken.counting import say_dashes, say_numbers
from server.language.spoken.dates import say_dates, say_days, say_years
from server.language.spoken.markup import without_markup
from server.language.spoken.money import say_money, share_currency
from server.language.spoken.roman import roman_as_digits
from server.language.spoken.shorthand import say_abbreviations, say_signs
from server.language.spoken.times import say_times
from server.language.spoken.units import say_measures

__all__ = ["Spoken", "prepare", "spoken"]

# In this order: what is written with more signs is read before what is written with fewer.
_STEPS_WITH_DIGITS = (
    say_dates,
    say_phones,
    share_currency,
    say_dashes,
    say_times,
    say_money,
    say_measures,
    say_years,
)
_DIGIT = re.compile(r"\d|[½¼¾]")
_FOREIGN_DIGIT = re.compile(r"[^\D0-9]")
_BLANKS = re.compile(r"\s{2,}|[^\S ]")
_BLANK_BEFORE_STOP = re.compile(r"\s+(?=[,.](?:\s|$))")
_OF_EVERY_KIND = "Dr. 1/1/2026 9:30 $5 5% 5 km"
_EDGES = re.compile(r"^\s+|\s+$")


def spoken(text: str, locale: str) -> Spoken:
    """What is said for a sentence in a language ("es") or in a region of it ("es_ES").

    Without markdown, code and emoji; numbers, money, dates, times, addresses, measures,
    abbreviations and signs in words. A language without rules for them keeps them as they are.
    """
    aligned = without_markup(AlignedText.of(text))
    if spoken_rules(locale):
        aligned = _in_words(aligned, locale)
    for pattern, replacement in ((_BLANKS, " "), (_BLANK_BEFORE_STOP, ""), (_EDGES, "")):
        aligned = aligned.sub(pattern, replacement)
    if not re.search(r"[^\W_]", aligned.text):
        return Spoken(text, "", ())
    return Spoken(text, aligned.text, aligned.spans)


def prepare(locales: Iterable[str]) -> None:
    """Read the rules of these languages and regions, which takes a tenth of a second each."""
    for locale in locales:
        spoken(_OF_EVERY_KIND, locale)


def _in_words(text: AlignedText, locale: str) -> AlignedText:
    for step in (say_addresses, roman_as_digits, say_days):
        text = step(text, locale)
    has_digits = _DIGIT.search(text.text) is not None
    if has_digits:
        text = text.sub(_FOREIGN_DIGIT, lambda match: str(unicodedata.digit(match[0])))
        for step in _STEPS_WITH_DIGITS:
            text = step(text, locale)
    text = say_abbreviations(text, locale)
    if has_digits:
        text = say_numbers(text, locale)
    return say_signs(text, locale)
