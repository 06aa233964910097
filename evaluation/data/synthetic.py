"""Sets made on the spot by eSpeak NG, for when nothing was downloaded.

The sentences are those of the starter models' domain that no training has; in one set they are
spoken by voices that the starter recognizer was trained on, in another by variants that it never
heard, in the third nobody speaks. They are dry: rooms, noise and lines come with the measurement.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from evaluation.data.layout import LANGUAGES, Recording, Writer
from evaluation.degradation import RATE_HZ, Samples, decibels, nothing_said
from scripts.train_starter.domain import utterance
from scripts.train_starter.stt.speech import Speech, Synthesizer
from scripts.train_starter.stt.voices import SEEN, UNSEEN, Profile, draw_voice

TRAINED, OTHERS, NOTHING = "synthetic-trained-voices", "synthetic-other-voices", "synthetic-nothing"
NAMES = (TRAINED, OTHERS, NOTHING)
LICENCE = "GPL-3.0-or-later"

T = TypeVar("T")

_PEAK_DB = -6.0
_LEAD_SECONDS, _TRAIL_SECONDS = 0.2, 0.3  # of silence, as a voice activity detector leaves
_FILE = Path(__file__)


def make(folder: Path, name: str, per_language: int, seed: int = 0) -> Iterator[Recording]:
    """Make one of `NAMES` below `folder`; yields what is there, whether it was made before or not.

    The same seed makes the same set, and a larger one begins with the smaller one.
    """
    writer = Writer(folder / name)
    recordings = {
        TRAINED: lambda: _spoken(SEEN, per_language, seed),
        OTHERS: lambda: _spoken(UNSEEN, per_language, seed + 1),
        NOTHING: lambda: _nothing(per_language * len(LANGUAGES), seed),
    }
    for recording in recordings[name]():
        if not writer.has(recording.id):
            writer.add(recording)
        yield recording


def without_synthetic(items: Sequence[T], set_of: Callable[[T], str]) -> list[T]:
    """Those of other sets than `NAMES`; all where there are no others."""
    return [item for item in items if set_of(item) not in NAMES] or list(items)


def _spoken(profile: Profile, per_language: int, seed: int) -> Iterator[Recording]:
    synthesizer = Synthesizer()
    for index in range(per_language):
        for language in LANGUAGES:
            rng = random.Random(f"{seed}/{language}/{index}")
            yield _recording(language, index, profile, synthesizer, rng)


def _recording(
    language: str, index: int, profile: Profile, synthesizer: Synthesizer, rng: random.Random
) -> Recording:
    text = utterance(language, rng, "test").text
    voice = draw_voice(language, profile, rng)
    speech = synthesizer.say(text, language, voice)
    samples = _between_silences(speech.samples)
    return Recording(
        id=f"{language}-{index:04d}",
        text=text,
        language=language,
        speaker=voice.name,
        licence=LICENCE,
        audio=lambda: samples,
        file=_FILE,
        line=index,
        word_ends_seconds=_word_ends(speech),
    )


def _between_silences(speech: Samples) -> Samples:
    gain = decibels(_PEAK_DB) / (float(np.abs(speech).max()) + 1e-6)
    silences = round(_LEAD_SECONDS * RATE_HZ), round(_TRAIL_SECONDS * RATE_HZ)
    return np.pad(speech * np.float32(gain), silences)


def _word_ends(speech: Speech) -> tuple[float, ...]:
    ends = (*speech.word_starts[1:], speech.end)
    return tuple(round(end / RATE_HZ + _LEAD_SECONDS, 3) for end in ends)


def _nothing(count: int, seed: int) -> Iterator[Recording]:
    """Silence, noise, hum and clicks: what is heard in them is made up."""
    for index in range(count):
        samples = nothing_said(np.random.default_rng((seed, index)))
        yield Recording(
            id=f"nothing-{index:04d}",
            text="",
            language="",
            speaker="",
            licence=LICENCE,
            audio=lambda samples=samples: samples,  # type: ignore[misc]
            file=_FILE,
            line=index,
        )
