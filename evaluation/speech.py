"""Speech of a caller, made on the spot by eSpeak NG."""

import numpy as np

from engines.tts.espeak import Espeak
from evaluation.recording import Pcm
from server.audio import Resampler, int16_from_samples, samples_from_int16

PEAK = 0.5  # of full scale: a caller who speaks up


def synthesize(text: str, language: str, rate_hz: int) -> Pcm:
    """`text` spoken in `language` (en, es, fr, hi, tl): int16[n] mono at `rate_hz`."""
    samples, made_hz = Espeak().speak_language(text, language)
    resampler = Resampler(made_hz, rate_hz)
    speech = np.concatenate([resampler.push(samples_from_int16(samples)), resampler.flush()])
    loudest = float(np.abs(speech).max(initial=0.0))
    return int16_from_samples(speech * np.float32(PEAK / loudest if loudest else 1.0))
