"""Speech of a caller, made on the spot by eSpeak NG."""

from dataclasses import dataclass

import numpy as np

from engines.tts.espeak import Espeak
from evaluation.recording import Pcm
from server.audio import int16_from_samples, samples_from_int16
from server.resampling import resample

PEAK = 0.5  # of full scale: a caller who speaks up


@dataclass(frozen=True, slots=True)
class Voice:
    """How somebody speaks."""

    variant: str = ""  # of eSpeak NG's voice of the language, "+f3"
    words_per_minute: int = 175
    pitch: int = 50  # 0 to 99
    peak: float = PEAK  # of full scale


def synthesize(text: str, language: str, rate_hz: int, voice: Voice | None = None) -> Pcm:
    """`text` spoken in `language` (en, es, fr, hi, tl): int16[n] mono at `rate_hz`."""
    voice = voice or Voice()
    samples, made_hz = Espeak().speak_language(
        text,
        language,
        voice=voice.variant,
        words_per_minute=voice.words_per_minute,
        pitch=voice.pitch,
    )
    speech = resample(samples_from_int16(samples), made_hz, rate_hz)
    loudest = float(np.abs(speech).max(initial=0.0))
    return int16_from_samples(speech * np.float32(voice.peak / loudest if loudest else 1.0))
