"""Whisper's published normaliser, with which most published word error rates were made.

It is reported beside ours so that figures can be compared with those of others. For English it is
the standard. For Hindi it makes figures meaningless: it replaces combining marks, which are the
vowels, by spaces. For Tagalog it parts words at their hyphens and apostrophes.
"""

from functools import cache

from whisper_normalizer.basic import BasicTextNormalizer
from whisper_normalizer.english import EnglishTextNormalizer


def whisper_english(text: str) -> str:
    """English: contractions, spellings, numbers in digits."""
    return str(_english()(text))


def whisper_normalise(text: str, language: str) -> str:
    """As Whisper's authors did for this language."""
    if language == "en":
        return whisper_english(text)
    return " ".join(str(_basic()(text)).split())


@cache
def _english() -> EnglishTextNormalizer:
    return EnglishTextNormalizer()


@cache
def _basic() -> BasicTextNormalizer:
    return BasicTextNormalizer()
