"""Tagalog: a hyphen or an apostrophe inside a word belongs to it (nag-aaral, ba't)."""

import re
import unicodedata

_APOSTROPHES = str.maketrans(dict.fromkeys("’‘ʼ`´ʻ", "'"))
_HYPHENS = str.maketrans(dict.fromkeys("‐‑‒–", "-"))
_STRESS = "\u0300\u0301\u0302"  # grave, acute, circumflex; the tilde of ñ stays
_INSIDE = re.compile(r"(?<=[^\W\d_])['-](?=[^\W\d_])")


def plain_apostrophes_and_hyphens(text: str) -> str:
    """One character for each, whatever the keyboard had."""
    return text.translate(_APOSTROPHES).translate(_HYPHENS)


def without_stress_marks(text: str) -> str:
    """Dictionaries write walâ, people wala; ñ is a letter."""
    apart = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", "".join(mark for mark in apart if mark not in _STRESS))


def punctuation_outside_words_to_spaces(text: str) -> str:
    """Whatever is neither letter, digit nor mark parts words, but "-" and "'" between letters."""
    inside = {match.start() for match in _INSIDE.finditer(text)}
    return "".join(
        letter if index in inside or unicodedata.category(letter)[0] in "LMN" else " "
        for index, letter in enumerate(text)
    )
