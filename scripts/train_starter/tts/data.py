"""The training data: sentences read by eSpeak NG, as phoneme ids, durations and features."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from piper.phoneme_ids import DEFAULT_PHONEME_ID_MAP

from engines.tts.espeak import VOICES, Espeak, prepare
from scripts.train_starter.domain import LANGUAGES
from scripts.train_starter.tts.alignment import align
from scripts.train_starter.tts.corpus import Text
from scripts.train_starter.tts.features import HOP_SAMPLES, RATE_HZ, Frames, analyse
from scripts.train_starter.tts.symbols import phoneme_symbols

_LEAST_AGREEMENT = 0.75  # below it the phonemizer and the synthesis read the text differently

_PAUSE_SAMPLES = RATE_HZ // 8  # after a sentence: eSpeak NG leaves none at the end of a text


@dataclass(frozen=True, slots=True)
class Example:
    """One sentence."""

    ids: NDArray[np.int64]  # [symbols + 2], without Piper's padding
    frames: NDArray[np.int64]  # [symbols + 2], how many each of them lasts
    features: Frames  # float32[sum of frames, NUM_FEATURES]
    speaker: int  # the language's place in LANGUAGES


class Reader:
    """Makes examples."""

    def __init__(self) -> None:
        self._espeak = Espeak()

    def read(self, text: Text) -> Example | None:
        """None when the alignment cannot be trusted."""
        symbols = phoneme_symbols(text.text, text.language)
        prepared, phoneme_input = prepare(text.text, text.language)
        samples, events = self._espeak.synthesize_with_events(
            prepared, VOICES[text.language], phoneme_input=phoneme_input
        )
        audio = np.pad(samples.astype(np.float64) / 32768, (0, _PAUSE_SAMPLES))
        alignment = align(symbols, events, audio, HOP_SAMPLES)
        if alignment.agreement < _LEAST_AGREEMENT:
            return None
        ids = [DEFAULT_PHONEME_ID_MAP[symbol][0] for symbol in ["^", *symbols, "$"]]
        speaker = LANGUAGES.index(text.language)
        return Example(np.array(ids), alignment.frames, analyse(audio), speaker)


def make(texts: Iterable[Text]) -> list[Example]:
    """Examples of all texts whose alignment can be trusted, with progress on standard error."""
    reader, examples = Reader(), []
    for num_read, text in enumerate(texts, 1):
        example = reader.read(text)
        if example is not None:
            examples.append(example)
        if num_read % 200 == 0:
            print(f"  {num_read} sentences read, {len(examples)} kept", file=sys.stderr, flush=True)
    return examples


def save(path: Path, examples: list[Example]) -> None:
    """All examples in one .npz, their arrays joined."""
    np.savez(
        path,
        ids=np.concatenate([example.ids for example in examples]),
        frames=np.concatenate([example.frames for example in examples]),
        features=np.concatenate([example.features for example in examples]),
        num_ids=[len(example.ids) for example in examples],
        num_frames=[len(example.features) for example in examples],
        speakers=[example.speaker for example in examples],
    )


def load(path: Path) -> list[Example]:
    """What `save` wrote."""
    with np.load(path) as arrays:
        ids_ends = np.cumsum(arrays["num_ids"])[:-1]
        frames_ends = np.cumsum(arrays["num_frames"])[:-1]
        columns = zip(
            np.split(arrays["ids"], ids_ends),
            np.split(arrays["frames"], ids_ends),
            np.split(arrays["features"], frames_ends),
            arrays["speakers"].tolist(),
            strict=True,
        )
        return [Example(*column) for column in columns]
