"""Speech with its alignment: eSpeak NG with the word and phoneme events of its library.

eSpeak reports at which sample every word and every phoneme begins. That is a perfect alignment for
nothing, and it is what makes the training of the starter model quick (see `losses.py`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engines.tts.espeak import Espeak, prepare
from engines.tts.espeak_library import Event, EventKind

RATE_HZ = 16000
ESPEAK_RATE_HZ = 22050
_TO_RATE = RATE_HZ / ESPEAK_RATE_HZ
_NOT_A_CLASS = re.compile(r"[ˈˌːˑ\d\u032a\u0329\u032f\u0303]")


@dataclass(frozen=True, slots=True)
class Voice:
    """How one utterance is spoken."""

    name: str  # eSpeak voice and variant, such as "en-us+f2"
    words_per_minute: int
    pitch: int = 50  # 0 to 99, eSpeak's scale


@dataclass(frozen=True, slots=True)
class Speech:
    """An utterance and where its words and phonemes are. Positions are samples at 16 kHz."""

    samples: NDArray[np.float32]  # [n], mono, 16 kHz, in -1 to 1
    word_starts: tuple[float, ...]  # one for every word between white space
    end: float  # end of the last word
    phonemes: tuple[tuple[float, str], ...]  # (start, class); "" is silence


class Synthesizer:
    """Speaks text word by word, so that every word of the text has a place in the sound."""

    def __init__(self) -> None:
        self._espeak = Espeak()
        if self._espeak.rate_hz != ESPEAK_RATE_HZ:
            raise RuntimeError(f"eSpeak NG works at {self._espeak.rate_hz} Hz: expected 22,050")

    def say(self, text: str, language: str, voice: Voice) -> Speech:
        """Speak `text`. Raises `EngineError` for a voice that eSpeak does not know."""
        words = [prepare(word, language)[0] for word in text.split()]
        audio, events = self._espeak.synthesize_with_events(
            " ".join(words),
            voice.name,
            words_per_minute=voice.words_per_minute,
            pitch=voice.pitch,
            phoneme_input=prepare("", language)[1],
        )
        phonemes = tuple(
            (event.sample * _TO_RATE, phoneme_class(event.phoneme))
            for event in events
            if event.kind is EventKind.PHONEME
        )
        end = phonemes[-2][0] if len(phonemes) > 1 else len(audio) * _TO_RATE
        starts = word_starts(words, events, end)
        samples = resample(audio.astype(np.float32) / np.float32(32768))
        # Cutting the spectrum of a loud sound overshoots full scale a little.
        return Speech(np.clip(samples, -1.0, 1.0), starts, end, phonemes)


def word_starts(words: Sequence[str], events: Sequence[Event], end: float) -> tuple[float, ...]:
    """Start of every word in samples at 16 kHz, from where eSpeak says that words begin.

    eSpeak merges some words ("of the"): those without an event share the time up to the next one
    in proportion to their letters.
    """
    lengths = np.cumsum([0] + [len(word) for word in words])
    positions = lengths[:-1] + np.arange(len(words))  # with one space between the words
    starts = {0: 0.0}
    for event in events:
        if event.kind is EventKind.WORD:
            word = int(np.searchsorted(positions, event.text_position, side="right")) - 1
            if word not in starts or starts[word] == 0.0:
                starts[word] = event.sample * _TO_RATE
    letters = [int(lengths[word]) for word in sorted(starts)] + [int(lengths[-1])]
    times = [starts[word] for word in sorted(starts)] + [end]
    return tuple(float(at) for at in np.interp(lengths[:-1], letters, times))


def phoneme_class(name: str) -> str:
    """The IPA of a phoneme event without stress, length and tone; "" is silence."""
    return _NOT_A_CLASS.sub("", unicodedata.normalize("NFD", name)).strip()


def resample(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """22,050 Hz to 16,000 Hz (320 : 441) by cutting the spectrum: exact but for the edges."""
    blocks = -(-len(audio) // (441 * 8)) * 8
    padded = np.zeros(blocks * 441, np.float32)
    padded[: len(audio)] = audio
    spectrum = np.fft.rfft(padded)[: blocks * 160 + 1]
    return (np.fft.irfft(spectrum, blocks * 320) * (320 / 441)).astype(np.float32)
