"""What happens to sound on its way: rooms, noise, the telephone; and sound in which nobody speaks.

numpy only. The starter recognizer is trained with these, and the evaluation measures with them.
"""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

RATE_HZ = 16_000
MU = 255.0
TELEPHONE_BAND_HZ = (300.0, 3400.0)

Samples = npt.NDArray[np.float32]  # [n] mono, 16 kHz, within -1 to 1
Degradation = Callable[[Samples, np.random.Generator], Samples]


def decibels(level_db: float) -> float:
    """The amplitude ratio of a level."""
    return float(10 ** (level_db / 20))


def reverberate(samples: Samples, rng: np.random.Generator) -> Samples:
    """A small room: exponentially decaying noise behind a direct sound, 5 to 30 ms of decay."""
    decay_samples = rng.uniform(80, 500)
    tail = np.exp(-np.arange(1600) / decay_samples) * rng.standard_normal(1600)
    tail[0] = rng.uniform(3, 8)
    tail /= np.sqrt((tail**2).sum())
    size = fast_size(len(samples) + 1600)
    spectrum = np.fft.rfft(samples, size) * np.fft.rfft(tail, size)
    return np.fft.irfft(spectrum, size)[: len(samples)].astype(np.float32)


def noise(count: int, rng: np.random.Generator) -> Samples:
    """Noise of unit power; its spectrum falls by 0 to 6 dB an octave (white to brown)."""
    size = fast_size(count)
    spectrum = np.fft.rfft(rng.standard_normal(size, dtype=np.float32))
    spectrum *= np.arange(1, len(spectrum) + 1) ** -rng.uniform(0.0, 1.0)
    spectrum[: max(1, size * 40 // RATE_HZ)] = 0  # what no microphone passes
    samples = np.fft.irfft(spectrum, size)[:count].astype(np.float32)
    return np.asarray(samples / (samples.std() + 1e-9), np.float32)


def telephone(samples: Samples) -> Samples:
    """300 to 3,400 Hz, 8 kHz, eight bits of mu-law (ITU-T G.711), and back to 16 kHz."""
    size = fast_size(len(samples))
    spectrum = np.fft.rfft(samples, size)
    spectrum *= band(size)
    narrow = np.fft.irfft(spectrum[: size // 4 + 1], size // 2) / 2
    spectrum = np.zeros(size // 2 + 1, np.complex128)
    spectrum[: size // 4 + 1] = np.fft.rfft(mu_law(narrow)) * 2
    return np.fft.irfft(spectrum, size)[: len(samples)].astype(np.float32)


def band(size: int) -> npt.NDArray[np.float64]:
    """Gain of the telephone band for every bin of a transform of `size`, with soft edges."""
    hertz = np.arange(size // 2 + 1) * (RATE_HZ / size)
    low, high = TELEPHONE_BAND_HZ
    return np.clip((hertz - low) / 100 + 1, 0, 1) * np.clip((high - hertz) / 200 + 1, 0, 1)


def mu_law(samples: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Through eight-bit mu-law and back."""
    bounded = np.clip(samples, -1, 1)
    code = np.round(np.sign(bounded) * np.log1p(MU * np.abs(bounded)) / np.log1p(MU) * 127) / 127
    return np.asarray(np.sign(code) * np.expm1(np.abs(code) * np.log1p(MU)) / MU)


def nothing_said(rng: np.random.Generator) -> Samples:
    """Half a second to three seconds without speech: silence, noise, hum or clicks."""
    count = int(rng.uniform(0.5, 3.0) * RATE_HZ)
    kind = rng.choice(["silence", "noise", "hum", "clicks"], p=[0.15, 0.55, 0.15, 0.15])
    samples = noise(count, rng) * np.float32(decibels(rng.uniform(-80, -18)))
    if kind == "silence":
        return np.zeros(count, np.float32)
    if kind == "hum":
        hertz, level = rng.uniform(45, 400), decibels(rng.uniform(-60, -20))
        samples += np.float32(level) * np.sin(np.arange(count) * (2 * np.pi * hertz / RATE_HZ))
    if kind == "clicks":
        at = rng.integers(0, count, rng.integers(1, 8))
        samples[at] += rng.uniform(-0.5, 0.5, len(at)).astype(np.float32)
    if rng.random() < 0.25:
        samples = telephone(samples)
    return np.asarray(np.clip(samples, -1, 1), np.float32)


def fast_size(count: int) -> int:
    """A transform size of at least `count` samples, a multiple of 2,048: quick, and even."""
    return -(-count // 2048) * 2048


def with_noise(snr_db: float) -> Degradation:
    """Noise of any colour, so many decibels below the speech."""

    def degrade(samples: Samples, rng: np.random.Generator) -> Samples:
        level = float(samples.std()) * decibels(-snr_db)
        noisy = samples + noise(len(samples), rng) * np.float32(level)
        return np.clip(noisy, -1, 1).astype(np.float32)

    return degrade


def _as_it_is(samples: Samples, rng: np.random.Generator) -> Samples:
    return samples


def _over_the_telephone(samples: Samples, rng: np.random.Generator) -> Samples:
    return telephone(samples)


# What a recording is measured under, by name.
CONDITIONS: Mapping[str, Degradation] = {
    "clean": _as_it_is,
    "room": reverberate,
    "noise-20": with_noise(20.0),
    "noise-10": with_noise(10.0),
    "telephone": _over_the_telephone,
}
