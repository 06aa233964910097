"""Trains the classifier that hears whether a voice has finished.

`python -m scripts.train_starter.prosody` writes `server/conversation/prosody.npz` and prints the
held-out figures: some forty minutes on two cores, most of them for the recognizer, which has to
hear every example up to its pause, as it does in a call. numpy is all it needs to train.

Data: the sentences of `scripts/train_starter/endpointing.py`, whole, with the melody of a comma and
cut at a word, by eSpeak NG's variants and the starter Piper voice, on lines of every kind
(`speech.py`, `corpus.py`). Two steps: a network over the features of `server.conversation.prosody`,
and on texts and voices that it has not seen the weights that add it to the words.
"""

import argparse
import asyncio
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from engines.stt import Transcript
from evaluation.terminal import Terminal
from scripts.train_starter.domain import LANGUAGES
from scripts.train_starter.endpointing import whole_texts
from scripts.train_starter.prosody import network
from scripts.train_starter.prosody.corpus import Example, Part, examples
from scripts.train_starter.prosody.network import Floats
from server.conversation.completeness import completeness, evidence_of
from server.conversation.prosody import WEIGHTS, Classifier, inputs_of
from server.language.words import words_of

# Parts of the corpus (`corpus.py`): a seed, and how many sentences of each language. The more the
# better by far: areas of 0.91, 0.93 and 0.95 with 7, 23 and 65 thousand examples (docs/log.md).
_TRAINING = ((1, 1000), (4, 1000), (5, 1000), (6, 1000), (7, 1000))
_ADDING = ((2, 300),)
_TESTING = ((3, 150),)
SHORT_WORDS = 2  # of an example that counts as short


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Examples without their sound, one a row."""

    inputs: Floats  # float64[n, m] of the network
    evidence: Floats  # float64[n, 2] of the words: log-odds, trust
    targets: Floats  # float64[n]: 1 for whole
    groups: tuple[frozenset[str], ...]  # those that an example is counted in

    @classmethod
    def of(cls, data: Sequence[Example]) -> Self:
        """All that has a voice in it."""
        found = [inputs_of(each.samples, each.transcript, LANGUAGES) for each in data]
        return cls(
            np.stack([inputs for inputs in found if inputs is not None]),
            np.array([_evidence(each.transcript) for each in data]),
            np.array([float(each.is_complete) for each in data]),
            tuple(map(_groups, data)),
        )

    @classmethod
    def joined(cls, tables: Sequence[Self]) -> Self:
        """One of all."""
        return cls(
            *(
                np.concatenate([getattr(table, name) for table in tables])
                for name in ("inputs", "evidence", "targets")
            ),
            sum((table.groups for table in tables), ()),
        )

    def members(self, group: str) -> npt.NDArray[np.intp]:
        """Rows of a group."""
        return np.flatnonzero([group in groups for groups in self.groups])


def train(data: Table, others: Table) -> Classifier:
    """The network from `data`, and how it is added to the words from `others`.

    Who stops after a whole turn and goes on, teaches the network the melody, but would teach the
    sum to trust no words: such are left out of it, as people mostly stop where words are missing.
    """
    mean, scale = data.inputs.mean(axis=0), data.inputs.std(axis=0) + 1e-6
    layers = network.fit_several((data.inputs - mean) / scale, data.targets)
    voice_only = Classifier(LANGUAGES, mean, scale, *layers, np.zeros(4))
    usual = np.setdiff1d(others.members("all"), others.members("bare"))
    addition = network.logistic(_terms(voice_only, others)[usual], others.targets[usual])
    return replace(voice_only, addition=addition)


def _evidence(heard: Transcript) -> tuple[float, float]:
    return evidence_of(completeness(heard.text, heard.language), heard.mean_token_probability)


def _groups(example: Example) -> frozenset[str]:
    kinds = ("comma", "cut") if example.is_complete else (example.kind,)  # against either
    said = words_of(example.said)
    length = "short" if len(said) <= SHORT_WORDS else "longer"
    voice = "piper" if example.voice == "piper" else "espeak"
    is_bare = not example.is_complete and tuple(said) in whole_texts(example.language)
    bare = ("bare",) if is_bare else ()
    return frozenset(("all", *kinds, *bare, example.language, length, voice))


def _terms(classifier: Classifier, data: Table) -> Floats:
    """Words, trust and voice, as `Classifier.together` adds them up: float64[n, 4]."""
    words, trust = data.evidence.T
    voice = [classifier.voice(inputs) for inputs in data.inputs]
    return np.column_stack([words * trust, trust, voice, np.ones(len(words))])


def figures(classifier: Classifier, data: Table) -> Iterator[str]:
    """A line for all, each kind, language, length and voice."""
    terms = _terms(classifier, data)
    voice, both = terms[:, 2], terms @ classifier.addition
    for name in ("all", "comma", "cut", *LANGUAGES, "short", "longer", "piper"):
        rows = data.members(name)
        areas = [network.area(scores[rows], data.targets[rows]) for scores in (voice, both)]
        accuracy = [
            network.balanced_accuracy(scores[rows], data.targets[rows]) for scores in (voice, both)
        ]
        yield (
            f"{name:<6} {len(rows):>5} examples: voice area {areas[0]:.3f}, accuracy "
            f"{accuracy[0]:.0%}; with the words {areas[1]:.3f}, {accuracy[1]:.0%}"
        )


async def _all(parts: Sequence[tuple[int, int]], *, held_out: bool) -> Table:
    """Of every language: parts by their seed and their number of sentences."""
    terminal = Terminal(sys.stdout)
    tables: list[Table] = []
    for seed, sentences in parts:
        for language in LANGUAGES:
            tables.append(Table.of(await examples(Part(language, sentences, seed, held_out))))
            terminal.aside(f"{language}, part {seed}: {len(tables[-1].targets)} examples")
    return Table.joined(tables)


async def main() -> None:
    """Train, write and print the figures."""
    argparse.ArgumentParser(
        prog="python -m scripts.train_starter.prosody",
        description="Train the classifier that hears whether a voice has finished.",
    ).parse_args()
    data = await _all(_TRAINING, held_out=False)
    adding = await _all(_ADDING, held_out=True)
    testing = await _all(_TESTING, held_out=True)
    classifier = train(data, adding)
    classifier.save(WEIGHTS)
    terminal = Terminal(sys.stdout)
    terminal.line(f"{len(data.targets)} examples of training; {WEIGHTS} is written. Held out:")
    for line in figures(classifier, testing):
        terminal.line(line)


if __name__ == "__main__":
    asyncio.run(main())
