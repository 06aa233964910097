"""What the starter voice reads in training: the clinic's sentences, and others for their sounds."""

import random
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from scripts.train_starter.domain import LANGUAGES, slot_words, utterance
from scripts.train_starter.domain.answers import Assistant

_COVERAGE_FILE = Path(__file__).with_name("coverage.toml")
_ENDINGS = "....?!"
_BETWEEN_SENTENCES = re.compile(r"(?<=[.?!।])\s+(?=\S{2})")


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence to read."""

    text: str
    language: str


def training_texts(per_language: int, seed: int) -> list[Text]:
    """`per_language` sentences of each language, shuffled."""
    rng = random.Random(seed)
    texts: list[Text] = []
    for language in LANGUAGES:
        sources = _sources(language, rng)
        chosen = dict.fromkeys(_coverage(language))  # in order, each once
        while len(chosen) < per_language:
            chosen[next(rng.choice(sources))] = None
        texts += [Text(sentence, language) for sentence in chosen]
    rng.shuffle(texts)
    return texts


def held_out_texts(per_language: int, seed: int) -> list[Text]:
    """Sentences of the test split, of which none is in training."""
    rng = random.Random(seed)
    return [
        Text(utterance(language, rng, "test").text, language)
        for language in LANGUAGES
        for _ in range(per_language)
    ]


def _sources(language: str, rng: random.Random) -> list[Iterator[str]]:
    return [_answers(language, rng), _callers(language, rng), _mixes(language, rng)]


def _callers(language: str, rng: random.Random) -> Iterator[str]:
    while True:
        yield utterance(language, rng, "train").text


def _answers(language: str, rng: random.Random) -> Iterator[str]:
    """What the assistant says, in conversations of random questions."""
    while True:
        assistant = Assistant()
        for _ in range(4):
            answer = assistant.answer(utterance(language, rng, "train"), language)
            if isinstance(answer, str):
                yield from _BETWEEN_SENTENCES.split(answer)  # as a voice speaks them


def _mixes(language: str, rng: random.Random) -> Iterator[str]:
    """Words in any order: every sound beside many others."""
    words = [word.strip(".,?!¿¡।;:") for text in _coverage(language) for word in text.split()]
    words = [word for word in words if word] + slot_words(language)
    while True:
        chosen = [rng.choice(words) for _ in range(rng.randint(2, 8))]
        if len(chosen) > 5:
            chosen[2] += ","
        yield " ".join(chosen) + rng.choice(_ENDINGS)


@cache
def _coverage(language: str) -> list[str]:
    sentences: list[str] = tomllib.loads(_COVERAGE_FILE.read_text("utf-8"))[language]["sentences"]
    return sentences
