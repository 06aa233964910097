"""Words of any of the languages, for comparing what was said."""

import unicodedata


def words_of(text: str) -> list[str]:
    """Lower-case words without punctuation; vowel signs, hyphens and apostrophes inside stay."""
    return [word for raw in text.casefold().split() if (word := _strip(raw))]


def means_the_same(one: str, other: str) -> bool:
    """Whether two transcripts have the same words."""
    return words_of(one) == words_of(other)


def _strip(word: str) -> str:
    """Without what is neither letter, mark nor number at both ends."""
    start, end = 0, len(word)
    while start < end and not _is_part(word[start]):
        start += 1
    while end > start and not _is_part(word[end - 1]):
        end -= 1
    return unicodedata.normalize("NFC", word[start:end])


def _is_part(character: str) -> bool:
    return unicodedata.category(character)[0] in "LMN"
