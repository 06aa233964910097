"""Trains the identifier of a text's language; one table for each that is written in Latin script.

`python -m scripts.train_starter.identification` writes `server/language/data/<language>/
identification.tsv` and prints the held-out figures; a minute on one core. numpy is all it needs.

Data: sentences of the closed domain, questions from outside of it and the everyday sentences of
`endpointing.toml`, whole and as runs of two to five of their words. Model: one language against the
others by logistic regression (`linear.py`) over the character n-grams of
`server.language.identification`.
"""

import random
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.train_starter.domain import LANGUAGES, sentences
from scripts.train_starter.domain.decline import filled_templates, unseen_questions
from scripts.train_starter.endpointing import everyday_sentences
from scripts.train_starter.linear import Weights, fit, write
from server.language.identification import identify, ngrams
from server.language.resources import script

TABLES = Path(__file__).parents[2] / "server" / "language" / "data"
_FILLINGS = 3  # of one template
_HELD_OUT_PERCENT = 15  # of the everyday sentences
_RUN_WORDS = range(2, 6)


@dataclass(frozen=True, slots=True)
class Sample:
    """A text and its language."""

    text: str
    language: str


def training_samples() -> list[Sample]:
    """Whole sentences and runs of their words, in every language of Latin script."""
    rng = random.Random("identification")
    return [
        Sample(text, language)
        for language in latin_languages()
        for sentence in _sentences(language, rng)
        for text in (sentence, _run(sentence, rng))
    ]


def held_out_samples() -> list[Sample]:
    """Everyday sentences never trained on."""
    return [
        Sample(text, language)
        for language in LANGUAGES
        for text in _everyday(language, held_out=True)
    ]


def unseen_samples() -> list[Sample]:
    """Questions that share no template with the training: 40 a language."""
    return [Sample(text, language) for language, text in unseen_questions()]


def latin_languages() -> list[str]:
    """Those that their script does not give away."""
    return [language for language in LANGUAGES if not script(language)]


def train(samples: Sequence[Sample], language: str) -> Weights:
    """Weights by n-gram, and the bias, of this language against the others."""
    features = [["bias", *ngrams(sample.text)] for sample in samples]
    return fit(features, [sample.language == language for sample in samples])


def accuracy(samples: Sequence[Sample]) -> float:
    """Share of texts whose likeliest language is theirs."""
    hits = 0
    for sample in samples:
        probabilities = identify(sample.text, LANGUAGES)
        hits += max(probabilities, key=lambda code: probabilities[code]) == sample.language
    return hits / len(samples)


def _sentences(language: str, rng: random.Random) -> Iterator[str]:
    for group in sentences(language, "train").values():
        yield from (sentence.text for sentence in rng.sample(group, min(len(group), _FILLINGS)))
    for _, texts in filled_templates(language, rng, _FILLINGS):
        yield from texts
    yield from _everyday(language, held_out=False)


def _everyday(language: str, *, held_out: bool) -> Iterator[str]:
    for sentence in everyday_sentences(language):
        if (zlib.crc32(sentence.encode()) % 100 < _HELD_OUT_PERCENT) is held_out:
            yield " ".join(sentence.replace("|", " ").split())


def _run(sentence: str, rng: random.Random) -> str:
    words = sentence.split()
    length = min(rng.choice(_RUN_WORDS), len(words))
    start = rng.randrange(len(words) - length + 1)
    return " ".join(words[start : start + length])


def main() -> None:
    """Train all languages and say how good they are."""
    samples = training_samples()
    for language in latin_languages():
        write(TABLES / language / "identification.tsv", train(samples, language))
    for name, group in (("held out", held_out_samples()), ("unseen", unseen_samples())):
        for language in LANGUAGES:
            own = [sample for sample in group if sample.language == language]
            print(f"{language} {name}: {len(own)} texts, {accuracy(own):.0%} identified")


if __name__ == "__main__":
    main()
