"""Trains the classifier that tells whether a turn reads as complete; one table per language.

`python -m scripts.train_starter.endpointing` writes `server/language/data/<language>/
completeness.tsv` and prints the held-out figures; a minute on one core. numpy is all it needs.

Data: the closed domain's sentences, the starter LLM's questions from outside of it, everyday
sentences and formulas (`endpointing.toml`); each is complete as a whole and incomplete when it is
cut between two words. A cut that leaves what is a whole sentence elsewhere is left out. Every text
comes with and without punctuation, as different recognizers would write it. Model: logistic
regression (`linear.py`) over the features of `server.conversation.completeness`.
"""

import math
import random
import tomllib
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from scripts.train_starter.domain import LANGUAGES, sentences
from scripts.train_starter.domain.decline import filled_templates, unseen_questions
from scripts.train_starter.domain.sentences import capitalised, slot_table
from scripts.train_starter.linear import Weights, fit, write
from server.conversation.completeness import completeness, features, final_mark
from server.language.words import words_of

TABLES = Path(__file__).parents[2] / "server" / "language" / "data"
_EVERYDAY = Path(__file__).parent / "endpointing.toml"
_FILLINGS = 12  # of one template, so that a template with many slots does not outweigh the others
_FEWEST = 4  # of one template in training, so that a sentence without slots counts too
_MARKINGS = 2  # ways of punctuation of one text
_PENALTY = 1e-4  # less than elsewhere: of many words a sentence is known by few
_DOMAIN, _FORMULA = "domain ", "formula "  # begin the names of their templates
_HELD_OUT_PERCENT = 15  # of the templates


@dataclass(frozen=True, slots=True)
class Example:
    """A transcript and whether the turn was complete."""

    text: str
    complete: bool


@dataclass(frozen=True, slots=True)
class Figures:
    """How well examples are told apart, each class counting a half."""

    area: float  # under the ROC curve
    complete_recall: float  # complete turns with a probability of at least one half
    incomplete_recall: float  # incomplete ones below it


# ---- data ---------------------------------------------------------------------------------------


def examples(language: str, *, held_out: bool, seed: int = 0) -> list[Example]:
    """Cut and whole sentences of the templates that are, or are not, held out."""
    rng = random.Random(f"{language} {held_out} {seed}")
    whole = whole_texts(language)
    return [
        Example(text, complete)
        for template, texts in _templates(language)
        if is_held_out(template) is held_out
        for sentence in _drawn(texts, rng) * (1 if held_out else _repeated(texts))
        for text, complete in _cuts(sentence, whole, rng)
    ]


def unseen_examples(language: str, seed: int = 0) -> list[Example]:
    """Of questions that share no template with the training: 40 a language."""
    rng = random.Random(f"{language} unseen {seed}")
    whole = whole_texts(language)
    texts = [text for code, text in unseen_questions() if code == language]
    return [Example(*cut) for text in texts for cut in _cuts(text, whole, rng)]


def domain_examples(language: str, seed: int = 0) -> list[Example]:
    """Of the closed domain's held-out sentences, the other fillings of whose patterns are known."""
    rng = random.Random(f"{language} domain {seed}")
    whole = whole_texts(language)
    return [
        Example(*cut)
        for group in sentences(language, "test").values()
        for sentence in rng.sample(group, min(len(group), _FILLINGS))
        for cut in _cuts(sentence.text, whole, rng)
    ]


def _drawn(texts: Sequence[str], rng: random.Random) -> list[str]:
    return rng.sample(texts, min(len(texts), _FILLINGS))


def _repeated(texts: Sequence[str]) -> int:
    """How often fillings that are few are given, punctuated anew each time."""
    return math.ceil(_FEWEST / len(texts))


def everyday_sentences(language: str) -> list[str]:
    """Sentences of any domain; a "|" stands where one may end already."""
    lists: Mapping[str, list[str]] = _everyday()
    return lists[language]


def formulas(language: str) -> list[str]:
    """What people say by heart."""
    lists: Mapping[str, list[str]] = _everyday()["formulas"]
    return lists[language]


@cache
def _everyday() -> Mapping[str, Any]:
    return tomllib.loads(_EVERYDAY.read_text(encoding="utf-8"))


def is_held_out(template: str) -> bool:
    """Whether a template is kept for the test; none of the closed domain's, no formula is."""
    is_known = template.startswith((_DOMAIN, _FORMULA))
    return not is_known and zlib.crc32(template.encode()) % 100 < _HELD_OUT_PERCENT


def _templates(language: str) -> Iterator[tuple[str, Sequence[str]]]:
    """A name and the fillings of every template."""
    for pattern, group in sentences(language, "train").items():
        yield _DOMAIN + pattern, [sentence.text for sentence in group]
    rng = random.Random(f"{language} templates")
    yield from filled_templates(language, rng, _FILLINGS)
    yield from ((sentence, [sentence]) for sentence in everyday_sentences(language))
    yield from ((_FORMULA + words, [words]) for words in formulas(language))
    yield from ((f"answer {words}", [words]) for words in short_answers(language))


def short_answers(language: str) -> Iterator[str]:
    """What fills the domain's slots is an answer to a question by itself: "Monday", "nine"."""
    for name in ("country", "day", "hour", "language", "name", "service"):
        yield from map(capitalised, slot_table(language, name).values())


@cache
def whole_texts(language: str) -> set[tuple[str, ...]]:
    """All that is complete, as words; also what stands before a "|"."""
    whole: set[tuple[str, ...]] = set()
    for _, texts in _templates(language):
        for text in texts:
            parts = text.split("|")
            whole.update(tuple(words_of(" ".join(parts[:n]))) for n in range(1, len(parts) + 1))
    return whole


def _cuts(
    sentence: str, whole: set[tuple[str, ...]], rng: random.Random
) -> Iterator[tuple[str, bool]]:
    """The sentence, and what is left of it when it breaks off, written in several ways."""
    words = sentence.replace("|", " ").split()
    text = " ".join(words)
    for _ in range(_MARKINGS):
        yield _marked_whole(text, rng), True
    for length in range(1, len(words)):
        cut = " ".join(words[:length])
        if words_of(cut) and tuple(words_of(cut)) not in whole and _is_shorter(cut, text):
            for _ in range(_MARKINGS):
                yield _marked_cut(cut, text, rng), False


def _is_shorter(cut: str, text: str) -> bool:
    """French sets a blank before its marks: such a cut takes no word away."""
    return len(words_of(cut)) < len(words_of(text))


def _marked_whole(text: str, rng: random.Random) -> str:
    bare = text.rstrip(".?!।… \u00a0\u202f")
    return rng.choices([text, bare, f"{bare}."], [75, 15, 10])[0]


def _marked_cut(cut: str, text: str, rng: random.Random) -> str:
    """Whisper ends nearly everything with a mark, often with that of the sentence to come."""
    cut = cut.rstrip(",;: ")
    marked = cut + text[-1] if final_mark(text) != "none" else cut
    return rng.choices([cut, f"{cut}.", marked, f"{cut}...", f"{cut},"], [45, 22, 21, 7, 5])[0]


# ---- model --------------------------------------------------------------------------------------


def train(data: Sequence[Example]) -> Weights:
    """Weights by feature; both classes weigh the same in all."""
    texts = [list(features(example.text)) for example in data]
    return fit(texts, [example.complete for example in data], _PENALTY)


def figures(probabilities: Iterable[float], data: Sequence[Example]) -> Figures:
    """How well the probabilities tell the examples apart."""
    values = np.fromiter(probabilities, dtype=np.float64)
    complete = np.array([example.complete for example in data])
    ranks = _ranks(values)
    positives, negatives = complete.sum(), (~complete).sum()
    area = (ranks[complete].sum() - positives * (positives + 1) / 2) / (positives * negatives)
    return Figures(
        area=float(area),
        complete_recall=float((values[complete] >= 0.5).mean()),
        incomplete_recall=float((values[~complete] < 0.5).mean()),
    )


def _ranks(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """From 1 upwards; equal values share the mean of their ranks."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    means: npt.NDArray[np.float64] = (last - (counts - 1) / 2)[inverse]
    return means


def evaluate(data: Sequence[Example], language: str) -> Figures:
    """How good what serves is: rules, the language's table and all."""
    probabilities = (completeness(example.text, language) for example in data)
    return figures((0.5 if p is None else p for p in probabilities), data)


def main() -> None:
    """Train all languages and say how good they are."""
    for language in LANGUAGES:
        write(TABLES / language / "completeness.tsv", train(examples(language, held_out=False)))
        for name, data in (
            ("domain", domain_examples(language)),
            ("held out", examples(language, held_out=True)),
            ("unseen", unseen_examples(language)),
        ):
            found = evaluate(data, language)
            print(
                f"{language} {name}: {len(data)} texts, area {found.area:.3f}, complete "
                f"{found.complete_recall:.0%}, incomplete {found.incomplete_recall:.0%}",
                flush=True,
            )


if __name__ == "__main__":
    main()
