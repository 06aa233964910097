"""Does the voice sound as if the turn were over? The last seconds of audio in, log-odds out.

A voice that has finished falls to the bottom of its range, or rises beyond it when it asks; one
that will go on stays up, and a word that is followed by another is cut short. The features are the
pitch, the voicing and the level of the last half second against the speaker's own, and a small
network with one hidden layer weighs them together with the language and with whether the words
read as a question: half a question rises as a whole statement never does.

Trained by `scripts/train_starter/prosody.py`. Counts samples and never the wall clock; some 1.5 ms
of numpy for two seconds of audio. Pitch: autocorrelation of windowed frames over that of the
window (Boersma 1993), in two passes, the second near the median of the first against octave errors.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from engines.stt import Transcript
from engines.vad import RATE_HZ
from server.audio import Samples

WEIGHTS = Path(__file__).with_name("prosody.npz")

HEARD_SECONDS = 2.5  # of the end of an utterance
HOP_SECONDS = 0.016
_DECIMATION = 4  # pitch needs no more than 4 kHz
_MEAN_OF_FOUR = np.full(_DECIMATION, 1 / _DECIMATION)
_FRAME = 160  # samples of 40 ms
_HOP = 64
_TRANSFORM = 256
_LAGS = np.arange(9, 63)  # 444 down to 65 Hz
_OCTAVE_COST = 0.15  # of correlation, for a pitch an octave from the median
_SHORT_LAG_BONUS = 0.003
_VOICED = 0.45  # correlation
_SURE = 0.6
_LOUD_DB = 26.0  # below the loudest frames, and still of the voice
_ABOVE_FLOOR_DB = 6.0  # of the silence at the end
_SHORTEST_VOICED_RUN = 4  # frames; a click is three at most
_WIDEST_SEMITONES = 9.0
_POINTS = 20  # every other frame, back from the last voiced or loud one
_SYLLABLE_DIP_DB = 3.0
_SYLLABLE_FLOOR_DB = 20.0

_UNSURE_WORDS, _SURE_WORDS = 0.5, 0.9  # mean token probabilities: whether it is a question
_SUREST = 4.0  # log-odds of a voice

Floats = npt.NDArray[np.float64]

_HANN = np.hanning(_FRAME)
_HANN_CORRELATION = np.fft.irfft(np.abs(np.fft.rfft(_HANN, _TRANSFORM)) ** 2)[: _LAGS[-1] + 2]


@dataclass(frozen=True, slots=True)
class Contour:
    """The end of an utterance in frames of 16 ms: float64[n] each."""

    semitones: Floats  # above 100 Hz; meaningless where the frame is not voiced
    correlation: Floats  # of the frame with itself a period later: 1 is a pure tone
    level_db: Floats  # below the loudest


@dataclass(frozen=True, slots=True, eq=False)
class Classifier:
    """The network of a voice, and how its verdict is added to that of the words."""

    languages: tuple[str, ...]  # in the order in which the network is told of them
    mean: Floats  # float64[m] of the inputs in training
    scale: Floats  # float64[m]
    hidden: Floats  # float64[m, n]
    hidden_bias: Floats  # float64[n]
    output: Floats  # float64[n, 1]
    output_bias: Floats  # float64[1]
    addition: Floats  # float64[4]: weights of the words, of the trust in them, of the voice; bias

    def voice(self, inputs: Floats) -> float:
        """Log-odds that the voice has finished, within -4 to 4."""
        hidden = np.tanh((inputs - self.mean) / self.scale @ self.hidden + self.hidden_bias)
        return float(np.clip(hidden @ self.output + self.output_bias, -_SUREST, _SUREST)[0])

    def together(self, words: float, trust: float, voice: float) -> float:
        """Log-odds that the turn is over, of both: the words' own count as far as trusted."""
        return float(self.addition @ (words * trust, trust, voice, 1.0))

    def save(self, path: Path) -> None:
        """As a file of numpy's; see `load`."""
        arrays = {each.name: np.array(getattr(self, each.name)) for each in fields(self)}
        small = {
            name: array.astype(np.float32) if array.dtype == np.float64 else array
            for name, array in arrays.items()
        }
        np.savez_compressed(path, allow_pickle=False, **small)

    @classmethod
    def load(cls, path: Path) -> Self:
        """What `save` wrote. Raises `OSError` and `ValueError`."""
        with np.load(path, allow_pickle=False) as arrays:
            numbers = {
                each.name: arrays[each.name].astype(np.float64)
                for each in fields(cls)
                if each.name != "languages"
            }
            return cls(languages=tuple(map(str, arrays["languages"])), **numbers)


@cache
def classifier() -> Classifier:
    """The one of this repository."""
    return Classifier.load(WEIGHTS)


def inputs_of(samples: Samples, transcript: Transcript, languages: Sequence[str]) -> Floats | None:
    """What the network is given of an utterance of float32[n] at 16 kHz; None without a voice."""
    heard = features(samples)
    if heard is None:
        return None
    sure = (transcript.mean_token_probability - _UNSURE_WORDS) / (_SURE_WORDS - _UNSURE_WORDS)
    asks = (2 if transcript.text.endswith("?") else -2) * min(1.0, max(0.0, sure))
    spoken = [float(language == transcript.language) for language in languages]
    return np.concatenate([heard, spoken, [asks]])


def contour(samples: Samples) -> Contour | None:
    """Of the end of float32[n] at 16 kHz; None where that is shorter than a few frames."""
    frames = _frames(samples)
    return None if frames is None else _contour(frames, _level_db(frames))


def _frames(samples: Samples) -> Floats | None:
    """Overlapping frames of 40 ms at 4 kHz without their mean: float64[n, 160]."""
    end = samples[-round(HEARD_SECONDS * RATE_HZ) :]
    fours = end[len(end) % _DECIMATION :].astype(np.float64).reshape(-1, _DECIMATION)
    slow = fours @ _MEAN_OF_FOUR  # a fraction of the time of a mean over so short an axis
    if len(slow) < _FRAME + 8 * _HOP:
        return None
    offset = (len(slow) - _FRAME) % _HOP
    frames = np.lib.stride_tricks.sliding_window_view(slow, _FRAME)[offset::_HOP]
    centred: Floats = frames - frames.mean(axis=1, keepdims=True)
    return centred


def _level_db(frames: Floats) -> Floats:
    level_db = 10 * np.log10(np.mean(frames**2, axis=1) + 1e-12)
    below: Floats = level_db - np.percentile(level_db, 95)
    return below


def _contour(frames: Floats, level_db: Floats) -> Contour:
    spectra = np.abs(np.fft.rfft(frames * _HANN, _TRANSFORM, axis=1)) ** 2
    correlations = np.fft.irfft(spectra, axis=1)[:, : _LAGS[-1] + 2]
    correlations = correlations / (correlations[:, :1] + 1e-12) / _HANN_CORRELATION
    correlations *= _HANN_CORRELATION[0]
    lags, peaks = _periods(correlations, level_db)
    return Contour(12 * np.log2(RATE_HZ / _DECIMATION / lags / 100), peaks, level_db)


def _periods(correlations: Floats, level_db: Floats) -> tuple[Floats, Floats]:
    """The period of each frame in samples, between them by a parabola, and its correlation."""
    rows = np.arange(len(correlations))
    strength = correlations[:, _LAGS]
    best = np.argmax(strength - _SHORT_LAG_BONUS * _LAGS, axis=1)
    sure = (strength[rows, best] > _SURE) & (level_db > -_SYLLABLE_FLOOR_DB)
    if sure.any():
        octaves = np.log2(_LAGS)
        away = np.abs(octaves - np.median(octaves[best[sure]]))
        best = np.argmax(strength - _OCTAVE_COST * away, axis=1)
    lags = _LAGS[best]
    before, peak, after = (correlations[rows, lags + step] for step in (-1, 0, 1))
    curvature = np.minimum(before - 2 * peak + after, -1e-9)
    return lags + np.clip(0.5 * (before - after) / curvature, -0.5, 0.5), peak


def features(samples: Samples) -> Floats | None:
    """What the classifier sees of float32[n] at 16 kHz: float64[m]; None without a voice in it.

    Deterministic; pitches are in semitones from the speaker's median, scaled to about -1 to 1.
    """
    frames = _frames(samples)
    if frames is None:
        return None
    level_db = _level_db(frames)
    loud = level_db > max(-_LOUD_DB, np.median(level_db[-8:]) + _ABOVE_FLOOR_DB)
    if _longest_run(np.flatnonzero(loud)) < _SHORTEST_VOICED_RUN:
        return None  # before the pitch is looked for, which is the work
    found = _contour(frames, level_db)
    voiced = np.flatnonzero((found.correlation > _VOICED) & loud)
    if _longest_run(voiced) < _SHORTEST_VOICED_RUN:
        return None
    pitch = _smooth(found.semitones[voiced] - np.median(found.semitones[voiced]))
    last_voiced, last_loud = voiced[-1], np.flatnonzero(loud)[-1]
    back = 2 * np.arange(_POINTS)[::-1]
    places = np.arange(len(loud))
    is_voiced = np.isin(places, voiced).astype(np.float64)
    recent = pitch[voiced > last_voiced - 25]
    low, high = np.percentile(pitch, [10, 90])
    return np.concatenate(
        [
            np.interp(last_voiced - back, voiced, pitch) / 3,
            np.interp(last_loud - back, places, is_voiced),
            np.interp(last_loud - back, places, np.clip(level_db, -40, 0)) / 10,
            np.array([low, high, recent[-1] - recent.min(), recent.max() - recent[-1]]) / 3,
            [
                np.log(len(voiced)) / 3,
                np.log1p(len(_runs(voiced)[-1])) / 3,
                (last_loud - last_voiced) / 10,
                _num_syllables(level_db) / max(1, int(np.count_nonzero(loud))) * 10,
            ],
        ]
    )


def _runs(frames: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
    """Frames that follow one another, run by run."""
    return np.split(frames, np.flatnonzero(np.diff(frames) > 1) + 1)


def _longest_run(frames: npt.NDArray[np.int64]) -> int:
    return max(map(len, _runs(frames)))


def _smooth(pitch: Floats) -> Floats:
    """Without single frames that leap."""
    padded = np.concatenate([pitch[:1], pitch, pitch[-2:-1]])
    middle = np.median(np.stack([padded[:-2], padded[1:-1], padded[2:]]), axis=0)
    clipped: Floats = np.clip(middle, -_WIDEST_SEMITONES, _WIDEST_SEMITONES)
    return clipped


def syllables_per_second(samples: Samples) -> float:
    """Of the end of float32[n] at 16 kHz: 3 to 7 in speech; 0 where it is too short to say."""
    found = contour(samples)
    if found is None:
        return 0.0
    return _num_syllables(found.level_db) / (len(found.level_db) * HOP_SECONDS)


def _num_syllables(level_db: Floats) -> int:
    """Rises of the level by 3 dB that are not quiet: what syllables do, and hums do not."""
    count, extreme, is_rising = 0, float(level_db[0]), True
    for level in level_db.tolist():
        if is_rising and level < extreme - _SYLLABLE_DIP_DB:
            count += bool(extreme > -_SYLLABLE_FLOOR_DB)
            extreme, is_rising = level, False
        elif not is_rising and level > extreme + _SYLLABLE_DIP_DB:
            extreme, is_rising = level, True
        elif (level > extreme) == is_rising:
            extreme = level
    return count
