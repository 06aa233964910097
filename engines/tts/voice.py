"""What every voice offers, and how its audio is cut into chunks."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]

MAX_PASSAGE_CHARACTERS = 300
_FIRST_CHUNK_SECONDS = 0.08
_ROUNDING = 1e-6
_LONGEST_CHUNK_SECONDS = 0.64
# Where a long text may be divided, best first.
_BOUNDARIES = [
    re.compile(r"[.?!…।॥]+[\"'»”)\]]*\s|\n"),
    re.compile(r"[,;:—–]\s"),
    re.compile(r"\s"),
]


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a voice is in its text at a time."""

    characters: int  # of the text that was given to `speak`: up to there it is spoken
    seconds: float  # since the beginning of its audio


class Voice(Protocol):
    """A voice that is loaded and warm."""

    rate_hz: int

    def speak(self, text: str, speed: float) -> Iterator[Samples | Mark]:
        """The audio of a text as int16[n] chunks, each made when it is asked for.

        Between them, in order and as soon as they are known, are marks for the ends of words.

        `speed` is relative to the voice's own. A text in which nothing can be said has no chunks.
        """


def is_speakable(text: str) -> bool:
    """Whether a text holds a letter or a digit."""
    return any(character.isalnum() for character in text)


def passages(text: str) -> Iterator[str]:
    """A text in parts of at most `MAX_PASSAGE_CHARACTERS` that can be spoken one after another.

    Divided at the end of a sentence, else of a clause, else of a word, else anywhere, so that the
    first audio of a long text does not wait for all of it.
    """
    start = 0
    while start < len(text):
        end = _passage_end(text, start)
        if is_speakable(text[start:end]):
            yield text[start:end]
        start = end


def _passage_end(text: str, start: int) -> int:
    limit = start + MAX_PASSAGE_CHARACTERS
    if len(text) <= limit:
        return len(text)
    for boundary in _BOUNDARIES:
        ends = [match.end() for match in boundary.finditer(text, start, limit)]
        if ends:
            return ends[-1]
    return limit


def growing_chunks(samples: Samples, rate_hz: int) -> Iterator[Samples]:
    """Audio that is there already, in chunks of 80 ms, then twice as long each, up to 640 ms.

    The first chunk is short so that it is heard soon; the later ones are longer because a step of
    the engine serves other jobs too, and a voice must stay ahead of its listener.
    """
    seconds, start = _FIRST_CHUNK_SECONDS, 0
    while start < len(samples):
        end = start + round(seconds * rate_hz)
        yield samples[start:end]
        start, seconds = end, min(2 * seconds, _LONGEST_CHUNK_SECONDS)


def word_ends(text: str, weights: Sequence[float]) -> list[int]:
    """How many characters of a text are over at the end of each word as it was pronounced.

    `weights` are of those words, in phonemes. Where they are as many as the text's words, each is
    one's own; else (a number, "of the") the text is over as far as its letters are, in whole words.
    """
    words = [match for match in re.finditer(r"\S+", text) if is_speakable(match[0])]
    ends = [word.end() for word in words]
    if len(words) == len(weights):
        return ends
    letters = list(accumulate(sum(map(str.isalnum, word[0])) for word in words))
    total = sum(weights)
    shares = [over / total for over in accumulate(weights)]
    counts = [bisect_right(letters, share * letters[-1] + _ROUNDING) for share in shares]
    return [ends[count - 1] if count else 0 for count in counts]
