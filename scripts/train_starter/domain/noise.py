"""Small errors of transcription, so that the LLM forgives them."""

import random
from collections.abc import Callable

_PUNCTUATION = str.maketrans("", "", ".,!?¿¡।")
_SHORT_LETTERS = 3  # words up to this length may be lost, longer ones misspelt


def transcription_noise(text: str, rng: random.Random, *, keep: frozenset[str]) -> str:
    """`text` with one or two small errors; the words in `keep` (lower case) stay whole.

    What is kept are the slots' words, without which no one could give the same answer.
    """
    for error in rng.sample(_ERRORS, rng.choice([1, 1, 2])):
        text = error(text, rng, keep)
    return text


def _no_punctuation(text: str, rng: random.Random, keep: frozenset[str]) -> str:
    return " ".join(text.translate(_PUNCTUATION).split())


def _lower_case(text: str, rng: random.Random, keep: frozenset[str]) -> str:
    return text.lower()


def _lost_word(text: str, rng: random.Random, keep: frozenset[str]) -> str:
    words = text.split()
    if len(words) > 4:
        _edit(words, rng, keep, lambda word: "" if len(word) <= _SHORT_LETTERS else word)
    return " ".join(word for word in words if word)


def _doubled_word(text: str, rng: random.Random, keep: frozenset[str]) -> str:
    words = text.split()
    _edit(words, rng, keep, lambda word: f"{word} {word.lower()}")
    return " ".join(words)


def _wrong_letter(text: str, rng: random.Random, keep: frozenset[str]) -> str:
    words = text.split()
    _edit(words, rng, keep, lambda word: _misspelt(word, rng))
    return " ".join(words)


def _misspelt(word: str, rng: random.Random) -> str:
    if len(word) <= _SHORT_LETTERS:
        return word
    at = rng.randrange(1, len(word))
    return word[:at] + rng.choice(["", word[at - 1], word[1]]) + word[at + 1 :]


def _edit(
    words: list[str], rng: random.Random, keep: frozenset[str], change: Callable[[str], str]
) -> None:
    """Changes one word in place, if there is one that may be changed."""
    free = [i for i, word in enumerate(words) if word.lower().translate(_PUNCTUATION) not in keep]
    if free:
        at = rng.choice(free)
        words[at] = change(words[at])


_ERRORS = [_no_punctuation, _no_punctuation, _lower_case, _lost_word, _doubled_word, _wrong_letter]
