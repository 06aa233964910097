"""Speech as a server receives it, drawn at random: where, how loud, over which line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluation.degradation import RATE_HZ, Samples, decibels, noise, reverberate, telephone


@dataclass(frozen=True, slots=True)
class Conditions:
    """Ranges that are drawn from, uniformly, for every utterance."""

    lead_seconds: tuple[float, float]  # silence before the speech
    trail_seconds: tuple[float, float]  # silence after it
    snr_db: tuple[float, float]  # speech over noise
    peak_db: tuple[float, float] = (-26.0, -2.0)  # relative to full scale
    reverberation_share: float = 0.0
    telephone_share: float = 0.0
    cut_share: float = 0.0  # a beginning that the voice activity detector missed
    cut_seconds: tuple[float, float] = (0.0, 0.1)


QUIET = Conditions((0.0, 0.35), (0.05, 0.4), (25.0, 60.0), telephone_share=0.05, cut_share=0.05)
NOISY = Conditions(
    (0.0, 0.35),
    (0.05, 0.5),
    (6.0, 45.0),
    reverberation_share=0.35,
    telephone_share=0.2,
    cut_share=0.15,
)


def degrade(
    speech: Samples, conditions: Conditions, rng: np.random.Generator
) -> tuple[Samples, int]:
    """The speech as a server would receive it, and by how many samples everything has moved."""
    lead = int(rng.uniform(*conditions.lead_seconds) * RATE_HZ)
    trail = int(rng.uniform(*conditions.trail_seconds) * RATE_HZ)
    gain = decibels(rng.uniform(*conditions.peak_db)) / (float(np.abs(speech).max()) + 1e-6)
    samples = np.pad(speech * np.float32(gain), (lead, trail))
    shift = lead
    if rng.random() < conditions.reverberation_share:
        samples = reverberate(samples, rng)
    level = float(samples.std()) * decibels(-rng.uniform(*conditions.snr_db))
    samples = samples + noise(len(samples), rng) * np.float32(level)
    if rng.random() < conditions.telephone_share:
        samples = telephone(samples)
    if rng.random() < conditions.cut_share:
        cut = lead + int(rng.uniform(*conditions.cut_seconds) * RATE_HZ)
        samples, shift = samples[cut:], shift - cut
    return np.clip(samples, -1, 1).astype(np.float32), shift
