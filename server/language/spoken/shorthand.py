"""Abbreviations, and signs that stand for words."""

import re
import unicodedata

from server.language.resources import spoken_rules
from server.language.spoken.aligned import AlignedText
from server.language.spoken.patterns import full_stop, one_of

_PICTURES = ("So", "Sk")  # Unicode's categories of signs that no voice should name


def say_abbreviations(text: AlignedText, locale: str) -> AlignedText:
    """Abbreviations in full."""
    rules = spoken_rules(locale)
    for pattern, words in rules["patterns"].items():
        text = text.sub(re.compile(pattern), words)
    written = rf"(?<!\.){one_of(rules['abbreviations'])}"
    return text.sub(
        re.compile(written), lambda match: rules["abbreviations"][match[0]] + full_stop(match)
    )


def say_signs(text: AlignedText, locale: str) -> AlignedText:
    """Signs such as & in words; pictures are left out."""
    signs = spoken_rules(locale)["signs"]
    text = text.sub(
        re.compile("|".join(map(re.escape, signs))), lambda match: f" {signs[match[0]]} "
    )
    pictures = {sign for sign in text.text if unicodedata.category(sign) in _PICTURES}
    if pictures:
        text = text.sub(re.compile("|".join(map(re.escape, sorted(pictures)))), " ")
    return text
