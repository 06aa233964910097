"""Trains the classifier that hears whether a voice has finished.

`python -m scripts.train_starter.prosody` writes `server/conversation/prosody.npz` and prints the
held-out figures: some fifteen minutes on two cores, most of them for the recognizer, which has to
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
from dataclasses import replace

import numpy as np

from evaluation.terminal import Terminal
from scripts.train_starter.domain import LANGUAGES
from scripts.train_starter.prosody import network
from scripts.train_starter.prosody.corpus import Example, Part, examples
from scripts.train_starter.prosody.network import Floats
from server.conversation.completeness import completeness, evidence_of
from server.conversation.prosody import WEIGHTS, Classifier, inputs_of

# Parts of the corpus (`corpus.py`): a seed, and how many sentences of each language. The more the
# better by far: a third of the training's has an area of 0.81 where all of its first part has 0.91.
_TRAINING = ((1, 500), (4, 600), (5, 600))
_ADDING = ((2, 100), (6, 150))
_TESTING = ((3, 100),)


def train(data: Sequence[Example], others: Sequence[Example]) -> Classifier:
    """The network from `data`, and how it is added to the words from `others`."""
    inputs, targets = _inputs(data), _targets(data)
    mean, scale = inputs.mean(axis=0), inputs.std(axis=0) + 1e-6
    layers = network.fit((inputs - mean) / scale, targets)
    voice_only = Classifier(LANGUAGES, mean, scale, *layers, np.zeros(4))
    addition = network.logistic(_terms(voice_only, others), _targets(others))
    return replace(voice_only, addition=addition)


def _inputs(data: Sequence[Example]) -> Floats:
    """Of the network: float64[n, m]."""
    found = [inputs_of(each.samples, each.transcript, LANGUAGES) for each in data]
    return np.stack([inputs for inputs in found if inputs is not None])


def _terms(classifier: Classifier, data: Sequence[Example]) -> Floats:
    """Words, trust and voice, as `Classifier.together` adds them up: float64[n, 4]."""
    rows = []
    for each, inputs in zip(data, _inputs(data), strict=True):
        heard = each.transcript
        words, trust = evidence_of(
            completeness(heard.text, heard.language), heard.mean_token_probability
        )
        rows.append([words * trust, trust, classifier.voice(inputs), 1.0])
    return np.array(rows)


def _targets(data: Sequence[Example]) -> Floats:
    return np.array([float(example.is_complete) for example in data])


def figures(classifier: Classifier, data: Sequence[Example]) -> Iterator[str]:
    """A line for all, each kind, language and voice."""
    terms = _terms(classifier, data)
    voice, both = terms[:, 2], terms @ classifier.addition
    targets = _targets(data)
    groups: dict[str, list[bool]] = {"all": [True] * len(data)}
    for kind in ("comma", "cut"):
        groups[kind] = [example.kind in (kind, "whole") for example in data]
    for language in LANGUAGES:
        groups[language] = [example.language == language for example in data]
    groups["piper"] = [example.voice == "piper" for example in data]
    for name, members in groups.items():
        rows = np.flatnonzero(members)
        areas = [network.area(scores[rows], targets[rows]) for scores in (voice, both)]
        accuracy = [
            network.balanced_accuracy(scores[rows], targets[rows]) for scores in (voice, both)
        ]
        yield (
            f"{name:<6} {len(rows):>5} examples: voice area {areas[0]:.3f}, accuracy "
            f"{accuracy[0]:.0%}; with the words {areas[1]:.3f}, {accuracy[1]:.0%}"
        )


async def _all(parts: Sequence[tuple[int, int]], *, held_out: bool) -> list[Example]:
    """Of every language: parts by their seed and their number of sentences."""
    terminal = Terminal(sys.stdout)
    found: list[Example] = []
    for seed, sentences in parts:
        for language in LANGUAGES:
            found += await examples(Part(language, sentences, seed, held_out))
            terminal.aside(f"{language}, part {seed}: {len(found)} examples in all")
    return found


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
    terminal.line(f"{len(data)} examples of training; {WEIGHTS} is written. Held out:")
    for line in figures(classifier, testing):
        terminal.line(line)


if __name__ == "__main__":
    asyncio.run(main())
