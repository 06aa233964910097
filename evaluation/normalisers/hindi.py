"""Hindi in Devanagari: vowel signs are letters like any other, and some have two spellings.

Standard spelling: Central Hindi Directorate, "Devanagari Lipi tatha Hindi Vartani ka Manakikaran".
"""

import re

_DIGITS = str.maketrans("०१२३४५६७८९", "0123456789")
_VIRAMA, _ANUSVARA, _CHANDRABINDU, _NUKTA = "\u094d", "\u0902", "\u0901", "\u093c"
_CLASSES = (("ङ", "कखगघ"), ("ञ", "चछजझ"), ("ण", "टठडढ"), ("न", "तथदध"), ("म", "पफबभ"))
_NASALS = [re.compile(f"{nasal}{_VIRAMA}(?=[{stops}])") for nasal, stops in _CLASSES]
_ABOVE = re.compile(f"(?<=[िीेैोौ]){_CHANDRABINDU}")
_DOT_OF_LOAN = re.compile(f"(?<=[कखगजफ]){_NUKTA}")


def ascii_digits(text: str) -> str:
    """१२ is 12."""
    return text.translate(_DIGITS)


def anusvara_before_stops(text: str) -> str:
    """हिन्दी is हिंदी: a nasal before a stop of its own class is written either way."""
    for nasal in _NASALS:
        text = nasal.sub(_ANUSVARA, text)
    return text


def anusvara_above_vowel_signs(text: str) -> str:
    """नहीँ is नहीं: above a vowel sign there is no room for the moon, and the dot stands for it."""
    return _ABOVE.sub(_ANUSVARA, text)


def without_dots_of_loans(text: str) -> str:
    """ज़रूर is जरूर: the dot under क ख ग ज फ is optional; under ड and ढ it makes another letter."""
    return _DOT_OF_LOAN.sub("", text)
