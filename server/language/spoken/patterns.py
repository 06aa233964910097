"""What the steps share to find their parts of a text."""

import re
from collections.abc import Iterable

# A place where a word may begin or end: Python's \w lacks Devanagari's vowel signs.
WORD_START = r"(?<![\w\u0900-\u0963])"
WORD_END = r"(?![\w\u0900-\u0963])"
NUMBER_START = r"(?<![\d.,:/])"  # not in the middle of a number


def one_of(words: Iterable[str]) -> str:
    """A pattern for any of the words, the longest first; as whole words where they are letters."""
    parts = []
    for word in sorted(words, key=len, reverse=True):
        start = WORD_START if word[0].isalnum() else ""
        end = WORD_END if word[-1].isalnum() else ""
        parts.append(f"{start}{re.escape(word)}{end}")
    return f"(?:{'|'.join(parts)})" if parts else "(?!)"


def full_stop(match: re.Match[str]) -> str:
    """The one that an abbreviation shares with the sentence that it ends."""
    is_last = not match.string[match.end() :].strip()
    return "." if match[0].endswith(".") and is_last else ""
