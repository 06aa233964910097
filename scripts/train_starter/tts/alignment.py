"""How long each phoneme symbol of Piper lasts, from the phoneme events of eSpeak NG.

The symbols come from Piper's phonemizer, the events from the synthesis; both are eSpeak NG's, of
different releases, and differ in places. Matching runs of symbols are paired, as `difflib` finds
them; what is left over is given to the symbol before it, silence to the punctuation after it.
"""

import difflib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engines.tts.espeak_library import Event, EventKind

_SILENT_SYMBOLS = frozenset("ˈˌ -")
_PUNCTUATION = frozenset(".,?!;:")
_STRESS = re.compile("[ˈˌ]")
_SILENCE_LEVEL = 0.01


@dataclass(frozen=True, slots=True)
class Alignment:
    """`frames` counts the symbols' frames, begin and end included; `agreement` is 0 to 1."""

    frames: NDArray[np.int64]  # [symbols + 2]
    agreement: float


@dataclass(frozen=True, slots=True)
class _Sound:
    """One phoneme event: its symbols and its samples."""

    symbols: str
    num_samples: int


def align(
    symbols: Sequence[str], events: Sequence[Event], audio: NDArray[np.float64], hop_samples: int
) -> Alignment:
    """Durations of `symbols` in frames of `hop_samples`, which together are the whole audio."""
    starts = [event.sample for event in events if event.kind is EventKind.PHONEME]
    sounds = _sounds(events, starts, len(audio))
    pairs, agreement = _pair(symbols, sounds)
    samples = _distribute(symbols, sounds, pairs)
    samples[0] += starts[0] if starts else len(audio)
    frames = _round(samples, len(audio) // hop_samples, hop_samples)
    if symbols and symbols[-1] in _PUNCTUATION and frames[-2] == 0:
        _give_silence_to_last(frames, audio, hop_samples)
    return Alignment(frames, agreement)


def _sounds(events: Sequence[Event], starts: Sequence[int], num_samples: int) -> list[_Sound]:
    names = [event.phoneme for event in events if event.kind is EventKind.PHONEME]
    ends = [*starts[1:], num_samples]
    return [
        _Sound(_STRESS.sub("", unicodedata.normalize("NFD", name)), end - start)
        for name, start, end in zip(names, starts, ends, strict=True)
    ]


def _pair(symbols: Sequence[str], sounds: Sequence[_Sound]) -> tuple[dict[int, list[int]], float]:
    """Index of a sound -> indices of its symbols."""
    voiced = [
        index
        for index, symbol in enumerate(symbols)
        if symbol not in _SILENT_SYMBOLS and symbol not in _PUNCTUATION
    ]
    heard = [(symbol, index) for index, sound in enumerate(sounds) for symbol in sound.symbols]
    matcher = difflib.SequenceMatcher(
        None, [symbol for symbol, _ in heard], [symbols[index] for index in voiced], autojunk=False
    )
    pairs: dict[int, list[int]] = {}
    for block in matcher.get_matching_blocks():
        for offset in range(block.size):
            sound = heard[block.a + offset][1]
            pairs.setdefault(sound, []).append(voiced[block.b + offset])
    return pairs, matcher.ratio()


def _distribute(
    symbols: Sequence[str], sounds: Sequence[_Sound], pairs: dict[int, list[int]]
) -> NDArray[np.float64]:
    """Samples of each symbol, with one place before them and one after."""
    samples = np.zeros(len(symbols) + 2)
    last = -1
    for index, sound in enumerate(sounds):
        owners = pairs.get(index)
        if owners:
            samples[np.array(owners) + 1] += sound.num_samples / len(owners)
            last = owners[-1]
        elif not sound.symbols:
            samples[_pause_owner(symbols, last) + 1] += sound.num_samples
        else:
            samples[last + 1] += sound.num_samples
    return samples


def _pause_owner(symbols: Sequence[str], last: int) -> int:
    """The punctuation that follows symbol `last`, if there is one, else that symbol."""
    following = last + 1
    while following < len(symbols) and symbols[following] == " ":
        following += 1
    if following < len(symbols) and symbols[following] in _PUNCTUATION:
        return following
    return last


def _round(samples: NDArray[np.float64], num_frames: int, hop_samples: int) -> NDArray[np.int64]:
    ends = np.minimum(np.round(np.cumsum(samples) / hop_samples).astype(np.int64), num_frames)
    ends[-1] = num_frames
    return np.diff(ends, prepend=0)


def _give_silence_to_last(
    frames: NDArray[np.int64], audio: NDArray[np.float64], hop_samples: int
) -> None:
    """Move the silence at the end from the last sound to the final punctuation."""
    num_frames = int(frames.sum())
    peaks = np.abs(audio[: num_frames * hop_samples]).reshape(num_frames, hop_samples).max(axis=1)
    loud = np.nonzero(peaks > _SILENCE_LEVEL)[0]
    sounding = np.nonzero(frames[:-2])[0]
    if not len(loud) or not len(sounding):
        return
    owner = sounding[-1]
    silence = min(num_frames - (loud[-1] + 2), frames[owner] - 1)
    if silence > 0:
        frames[owner] -= silence
        frames[-2] += silence
