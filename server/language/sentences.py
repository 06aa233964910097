"""Cuts a stream of text, as it comes from a language model, into pieces to be spoken.

The first piece may end at a comma, so that speech begins early; every other piece is a sentence or
a line, unless a clause is asked for, because silence would come before the sentence is whole. A
boundary is decided only when something that is not blank, or a newline, has come after
it: so "3." waits for "14", and how the text was cut into tokens changes nothing.
"""

import re
from collections.abc import Iterator

from server.language.resources import abbreviations

_FIRST_CLAUSE_WORDS = 4  # a clause of so many words, or so many characters, is worth its own breath
_FIRST_CLAUSE_CHARACTERS = 20

_CLAUSE_MARKS = ",;:—"
_SENTENCE_MARKS = ".?!…।॥"
_OPENERS = "¿¡“«("  # begin a sentence even without a space before them


def _ends(mark: str) -> re.Pattern[str]:
    """A mark with the quotes and brackets that stay with it, or the place before a newline."""
    closers = "[\"'”’»)\\]}*_`]*(?:[ \u00a0\u202f]»)*"
    return re.compile(f"(?P<mark>{mark}){closers}|(?=\n)")


_SENTENCE_ENDS = _ends(f"[{_SENTENCE_MARKS}]+")
_SENTENCE_OR_CLAUSE_ENDS = _ends(f"[{_SENTENCE_MARKS}]+|[{_CLAUSE_MARKS}]")
_WORD_BORDER = re.compile(r"[\s(\[{«“\"'¿¡*_]")
_INITIALS = re.compile(r"(?:\w\.)*[^\W\d_]")
_FENCE = "```"


class SentenceStream:
    """One answer: text goes in as it comes, pieces come out as soon as they are complete.

    The pieces, joined, are the text again: blanks and newlines between two pieces lead the second.
    """

    def __init__(self, language: str) -> None:
        self._abbreviations = abbreviations(language)
        self._text = ""  # received, not yet given out
        self._ends = _SENTENCE_OR_CLAUSE_ENDS  # of the first piece; _SENTENCE_ENDS after it

    def push(self, text: str) -> list[str]:
        """Take the next text; give the pieces that are complete by now, often none."""
        self._text += text
        pieces = []
        while (end := next(self._boundaries(self._ends), None)) is not None:
            pieces.append(self._text[:end])
            self._text = self._text[end:]
            self._ends = _SENTENCE_ENDS
        return pieces

    def take_clauses(self) -> list[str]:
        """Do not wait for the end of the sentence: give its complete clauses, as one piece."""
        end = max(self._boundaries(_SENTENCE_OR_CLAUSE_ENDS), default=0)
        clauses, self._text = self._text[:end], self._text[end:]
        return [clauses] if clauses else []

    def flush(self) -> list[str]:
        """The answer is over: give the rest, if it is more than blanks."""
        rest, self._text = self._text, ""
        self._ends = _SENTENCE_OR_CLAUSE_ENDS
        return [rest] if rest.strip() else []

    def _boundaries(self, ends: re.Pattern[str]) -> Iterator[int]:
        """Where the text may be cut, as far as that is decided."""
        for match in ends.finditer(self._text):
            after = self._text[match.end() :]
            following = after.lstrip()
            blanks = after[: len(after) - len(following)]
            if not following and "\n" not in blanks:
                return
            if self._is_boundary(match, blanks, following):
                yield match.end()

    def _is_boundary(self, match: re.Match[str], blanks: str, following: str) -> bool:
        piece, mark = self._text[: match.end()], match["mark"]
        if piece.count(_FENCE) % 2 or not re.search(r"[^\W_]", piece):
            return False
        if "\n" in blanks:
            return True
        if mark in _CLAUSE_MARKS:
            return bool(blanks or mark == "—") and _is_long_enough(piece)
        if mark[-1] in "।॥":
            return True
        return bool(blanks or following[0] in _OPENERS) and not self._goes_on(match, following)

    def _goes_on(self, match: re.Match[str], following: str) -> bool:
        """Whether the mark belongs to an abbreviation, a list marker or an inner quotation."""
        mark = match["mark"]
        is_plain_question = mark[-1] in "?!" and match[0] == mark
        if following[0].islower() and not is_plain_question:
            return True
        return mark == "." and self._is_abbreviated(self._text[: match.start()], following[0])

    def _is_abbreviated(self, before: str, next_character: str) -> bool:
        """Whether a full stop between these is part of the last word before it."""
        last_word = _WORD_BORDER.split(before)[-1]
        if last_word.isdecimal() and before.strip() == last_word:
            return True  # "1. First of all"
        if last_word[-1:].isupper() and _INITIALS.fullmatch(last_word):
            return True  # "J. R. R. Tolkien", "the U.S. Army"
        word = last_word.casefold()
        announces_number = next_character.isdecimal() and f"{word} 1" in self._abbreviations
        return announces_number or word in self._abbreviations


def _is_long_enough(clause: str) -> bool:
    clause = clause.strip()
    return len(clause) >= _FIRST_CLAUSE_CHARACTERS or len(clause.split()) >= _FIRST_CLAUSE_WORDS
