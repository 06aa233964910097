"""Which language a text is in. Three sources, the surest first:

- a script that only one of the languages is written in;
- function words of a language amid words of another: such a text is code-switched (Taglish,
  Hinglish), and the language of its function words is the matrix that the others are set into
  (Myers-Scotton, Duelling Languages, 1993). Hindi in Latin script is recognised by the same words;
- a linear classifier over character n-grams, for the languages that have a table, trained by
  `scripts/train_starter/identification.py`.
"""

import math
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from server.language.resources import function_words, identification_weights, script
from server.language.words import words_of

_LONGEST_NGRAM = 4
_FEWEST_FUNCTION_WORDS = 2
_FUNCTION_WORD_SHARE = 0.15  # of a mixed text's words


@dataclass(frozen=True, slots=True)
class Matrix:
    """The language that a mixed text is built in."""

    language: str
    function_words: int  # of it, in the text


def identify(text: str, languages: Sequence[str]) -> dict[str, float]:
    """Probabilities of the languages, sum 1; all alike when nothing tells."""
    written = _by_script(text, languages)
    if written is not None:
        return {language: float(language == written) for language in languages}
    found = ngrams(text)
    scores = {language: _score(found, language) for language in languages}
    known = [score for score in scores.values() if score is not None]
    if not known or not found:
        return dict.fromkeys(languages, 1 / len(languages))
    highest = max(known)
    shares = {
        language: 0.0 if score is None else math.exp(score - highest)
        for language, score in scores.items()
    }
    total = sum(shares.values())
    return {language: share / total for language, share in shares.items()}


def matrix_of(text: str, languages: Sequence[str]) -> Matrix | None:
    """The language whose function words hold the text together; None when there is none."""
    words = words_of(text)
    counts = {
        language: sum(word in function_words(language) for word in words) for language in languages
    }
    language = max(counts, key=lambda code: counts[code])
    count = counts[language]
    if count < _FEWEST_FUNCTION_WORDS or count < _FUNCTION_WORD_SHARE * len(words):
        return None
    return Matrix(language, count)


def is_in_latin(text: str, language: str) -> bool:
    """Whether a language with a script of its own is written in Latin letters here."""
    return (
        bool(script(language)) and any(map(str.isalpha, text)) and not _by_script(text, [language])
    )


def ngrams(text: str) -> list[str]:
    """The character n-grams of a text's words, each once, sorted; "_" is a word's border."""
    found: set[str] = set()
    for word in words_of(text):
        padded = f"_{word}_"
        for length in range(1, _LONGEST_NGRAM + 1):
            found.update(padded[n : n + length] for n in range(len(padded) - length + 1))
    return sorted(found - {"_"})


def _by_script(text: str, languages: Sequence[str]) -> str | None:
    """The language of most of the letters, if they are of a script that it alone has."""
    letters = [unicodedata.name(sign, "") for sign in text if sign.isalpha()]
    for language in languages:
        name = script(language)
        if name and 2 * sum(letter.startswith(name) for letter in letters) > len(letters):
            return language
    return None


def _score(found: Sequence[str], language: str) -> float | None:
    weights: Mapping[str, float] = identification_weights(language)
    if not weights:
        return None
    return weights.get("bias", 0.0) + sum(weights.get(ngram, 0.0) for ngram in found)
