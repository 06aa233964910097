"""When the words of a passage are over: from a Piper voice's phonemes to marks in the text.

A voice of VITS rounds up how many frames each phoneme takes, and those are its alignment. Where a
graph does not tell them, every phoneme of a sentence counts as long as another.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from engines.tts.voice import Mark, word_ends

_WORD_GAP = " "


class Alignment:
    """The words of one passage that begins `start` characters into its text."""

    def __init__(self, start: int, passage: str, sentences: Sequence[Sequence[str]]) -> None:
        self._words = [_words(phonemes) for phonemes in sentences]
        lengths = [length for words in self._words for length, _ in words]
        ends = word_ends(passage, lengths) if lengths else []
        self._characters = iter([start + end for end in ends])

    def marks(self, sentence: int, phoneme_ends: Sequence[float]) -> Iterator[Mark]:
        """Of a sentence, in order, from when each of its phonemes is over, in seconds."""
        for _, last in self._words[sentence]:
            yield Mark(next(self._characters), float(phoneme_ends[last]))


def ends_by_durations(
    phonemes: Sequence[str], ids: Mapping[str, Sequence[int]], id_ends: NDArray[np.int64]
) -> list[int]:
    """The sample at which each phoneme is over, from that of each id.

    A pad follows each phoneme, and they begin behind a sign and its pad; a graph that does not
    tell of pads, like the starter voice's, has left them out. Any other is taken as untold.
    """
    lengths = [len(ids[phoneme]) for phoneme in phonemes]
    if len(id_ends) == sum(lengths) + len(lengths) + 3:
        places = [1 + end + pads for pads, end in enumerate(accumulate(lengths), 1)]
    elif len(id_ends) == sum(lengths) + 2:
        places = list(accumulate(lengths))
    else:
        return ends_by_number(phonemes, int(id_ends[-1]))
    return [int(id_ends[place]) for place in places]


def ends_by_number(phonemes: Sequence[str], num_samples: int) -> list[int]:
    """The sample at which each phoneme is over if all are equally long."""
    return [round(num_samples * (place + 1) / len(phonemes)) for place in range(len(phonemes))]


def _words(phonemes: Sequence[str]) -> list[tuple[int, int]]:
    """Of each word its number of sounds, and which phoneme of the sentence is its last."""
    words: list[tuple[int, int]] = []
    sounds = last = 0
    for place, phoneme in enumerate([*phonemes, _WORD_GAP]):
        if phoneme.isalpha():
            sounds, last = sounds + 1, place
        elif phoneme == _WORD_GAP and sounds:
            words.append((sounds, last))
            sounds = 0
    return words
