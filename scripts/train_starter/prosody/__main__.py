"""Trains the classifier that hears whether a voice has finished.

`python -m scripts.train_starter.prosody` writes `server/conversation/prosody.npz` and prints the
held-out figures: some fifteen minutes on two cores, most of them for the recognizer, which has to
hear every example up to its pause, as it does in a call. numpy is all it needs to train.

Data: the sentences of `scripts/train_starter/endpointing.py`, whole, with the melody of a comma and
cut at a word, by eSpeak NG's variants and the starter Piper voice, on lines of every kind
(`speech.py`). Two steps: a network over the features of `server.conversation.prosody`, and on
texts and voices that it has not seen the three weights that add it to the words.
"""

import argparse
import asyncio
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engines.batcher import Batcher
from engines.config import SttConfig, VadConfig
from engines.stt import SttEngine, SttRequest, Transcript
from engines.vad import WINDOW_SAMPLES, VadEngine, VadRequest, VadResult, VadState
from evaluation.degradation import Samples
from evaluation.terminal import Terminal
from scripts.train_starter.domain import LANGUAGES
from scripts.train_starter.prosody import network
from scripts.train_starter.prosody.network import Floats
from scripts.train_starter.prosody.speech import Speakers, Spoken, on_a_line
from server.conversation.completeness import completeness, evidence_of
from server.conversation.endpointing import Boundary, Endpointer, EndpointingConfig
from server.conversation.prosody import WEIGHTS, Classifier, inputs_of

_AT_ONCE = 6
_PADDING_SAMPLES = 6400


@dataclass(frozen=True, slots=True)
class Example:
    """An utterance up to its pause, as the server has it."""

    spoken: Spoken
    transcript: Transcript
    inputs: Floats  # of the network


async def examples(
    per_language: int, seed: int, *, held_out: bool, progress: Callable[[int], None]
) -> list[Example]:
    """Speak them, hear them, take their features; what has no voice in it is left out."""
    rng = random.Random(f"prosody {seed} {held_out}")
    found: list[Example] = []
    vad: Batcher[VadRequest, VadResult] = Batcher("vad", VadEngine(VadConfig()))
    stt: Batcher[SttRequest, Transcript] = Batcher("stt", SttEngine(SttConfig()))
    spoken = iter(Speakers(rng, held_out=held_out).sentences(per_language))

    async def hear() -> None:
        for each in spoken:
            utterance = await _until_pause(vad, on_a_line(each.samples, rng))
            if utterance is None:
                continue
            transcript = await stt.run(SttRequest(utterance, LANGUAGES))
            inputs = inputs_of(utterance, transcript, LANGUAGES)
            if inputs is not None:
                found.append(Example(each, transcript, inputs))
                progress(len(found))

    async with vad, stt, asyncio.TaskGroup() as tasks:
        for number in range(_AT_ONCE):
            tasks.create_task(hear(), name=f"hear {number}")
    return found


async def _until_pause(vad: Batcher[VadRequest, VadResult], samples: Samples) -> Samples | None:
    """What the server has of it at its last pause: float32[n]; None where nothing was heard."""
    endpointer = Endpointer(EndpointingConfig(end_silence_seconds=30.0))
    state: VadState | None = None
    start = end = 0
    for position in range(0, len(samples) - WINDOW_SAMPLES + 1, WINDOW_SAMPLES):
        window = samples[position : position + WINDOW_SAMPLES]
        result = await vad.run(VadRequest(window, state))
        state = result.state
        boundary = endpointer.process(result.speech_probability)
        if boundary is Boundary.STARTED:
            start = max(0, position - _PADDING_SAMPLES)
        elif boundary is Boundary.PAUSED:
            end = position + WINDOW_SAMPLES
    return samples[start:end] if end and endpointer.paused else None


def train(data: Sequence[Example], others: Sequence[Example]) -> Classifier:
    """The network from `data`, and how it is added to the words from `others`."""
    inputs = np.stack([example.inputs for example in data])
    mean, scale = inputs.mean(axis=0), inputs.std(axis=0) + 1e-6
    layers = network.fit((inputs - mean) / scale, _targets(data))
    voice_only = Classifier(LANGUAGES, mean, scale, *layers, np.zeros(4))
    terms = np.stack([_terms(voice_only, example) for example in others])
    return replace(voice_only, addition=network.logistic(terms, _targets(others)))


def _terms(classifier: Classifier, example: Example) -> Floats:
    """Words, trust and voice, as `Classifier.together` adds them up."""
    heard = example.transcript
    words, trust = evidence_of(
        completeness(heard.text, heard.language), heard.mean_token_probability
    )
    return np.array([words * trust, trust, classifier.voice(example.inputs), 1.0])


def _targets(data: Sequence[Example]) -> Floats:
    return np.array([float(example.spoken.is_complete) for example in data])


def figures(classifier: Classifier, data: Sequence[Example]) -> Iterator[str]:
    """A line for all, each kind, language and voice."""
    voice = np.array([classifier.voice(example.inputs) for example in data])
    both = np.array([_terms(classifier, each) @ classifier.addition for each in data])
    targets = _targets(data)
    groups: dict[str, list[bool]] = {"all": [True] * len(data)}
    for kind in ("comma", "cut"):
        groups[kind] = [example.spoken.kind in (kind, "whole") for example in data]
    for language in LANGUAGES:
        groups[language] = [example.spoken.language == language for example in data]
    groups["piper"] = [example.spoken.voice == "piper" for example in data]
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


async def main() -> None:
    """Train, write and print the figures."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.train_starter.prosody",
        description="Train the classifier that hears whether a voice has finished.",
    )
    parser.add_argument("--sentences", type=int, default=450, help="a language, for training (450)")
    parser.add_argument("--held-out", type=int, default=120, help="a language, held out (120)")
    options = parser.parse_args()
    terminal = Terminal(sys.stdout)

    def progress(what: str) -> Callable[[int], None]:
        def show(count: int) -> None:
            if count % 100 == 0:
                terminal.aside(f"{what}: {count} heard")

        return show

    data = await examples(options.sentences, 1, held_out=False, progress=progress("training"))
    adding = await examples(options.held_out, 2, held_out=True, progress=progress("held out"))
    testing = await examples(options.held_out, 3, held_out=True, progress=progress("test"))
    classifier = train(data, adding)
    classifier.save(WEIGHTS)
    terminal.line(f"{len(data)} examples of training; {WEIGHTS} is written. Held out:")
    for line in figures(classifier, testing):
        terminal.line(line)


if __name__ == "__main__":
    asyncio.run(main())
