"""Sounds that are not words, made from noise and sines, and what a room adds to a line.

None is a recording. Each has what a detector of speech may fall for: a cough the bursts, pitch and
formants of a throat; a door the low thump and rattle; typing the attack of plosives; music the
harmonics of voices and their length. They differ with the random generator that they are given.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from evaluation.recording import Background, Pcm, Playback

Signal = npt.NDArray[np.float64]
Sound = Callable[[np.random.Generator, int], Signal]  # rate in Hz -> about -1 to 1

_BED_SECONDS = 10.0
_FORMANTS = ((650.0, 80.0, 1.0), (1200.0, 100.0, 0.5), (2500.0, 150.0, 0.25))  # Hz, width, gain
_CHORDS = ((220.0, 277.2, 329.6), (174.6, 220.0, 261.6), (261.6, 329.6, 392.0))  # A, F, C


def at_level(signal: Signal, level_db: float) -> Pcm:
    """int16[n] whose loudest sample is `level_db` below full scale."""
    loudest = float(np.abs(signal).max(initial=0.0)) or 1.0
    return (signal / loudest * 10 ** (level_db / 20) * 32767).astype(np.int16)


def cough(rng: np.random.Generator, rate_hz: int) -> Signal:
    """Two or three bursts of breath through a throat, the first the strongest, with a voiced end.

    Each begins within some milliseconds and decays over a tenth of a second: noise in the bands of
    an open vowel, and behind it a voice that falls.
    """
    bursts = [_cough_burst(rng, rate_hz, 0.8**index) for index in range(rng.integers(2, 4))]
    gaps = [np.zeros(round(rng.uniform(0.08, 0.25) * rate_hz)) for _ in bursts]
    return np.concatenate([part for pair in zip(bursts, gaps, strict=True) for part in pair])


def door(rng: np.random.Generator, rate_hz: int) -> Signal:
    """The click of a latch, then a thump that sinks from some 120 Hz, and a short rattle."""
    times = _times(0.7, rate_hz)
    pitch_hz = rng.uniform(80, 130) * np.exp(-times * 3)
    thump = np.sin(2 * np.pi * np.cumsum(pitch_hz) / rate_hz) * np.exp(-times * 9)
    rattle = _band(rng.standard_normal(len(times)), 200, 2500, rate_hz) * np.exp(-times * 18)
    latch = _click(rng, rate_hz, 1500, 6000)
    quiet = np.zeros(round(rng.uniform(0.05, 0.15) * rate_hz))
    return np.concatenate([0.4 * latch, quiet, thump + 0.6 * rattle])


def typing(rng: np.random.Generator, rate_hz: int) -> Signal:
    """Two seconds of keys, eight to twelve a second at most, each a click and a dull landing."""
    tape = np.zeros(round(2.2 * rate_hz))
    position = 0.0
    while position < 2.0:
        key = _click(rng, rate_hz, 900, 7000) * rng.uniform(0.4, 1.0)
        start = round(position * rate_hz)
        tape[start : start + len(key)] += key
        position += rng.uniform(0.08, 0.3)
    return tape


def music(rng: np.random.Generator, rate_hz: int) -> Signal:
    """Two or three chords of three notes, each with four harmonics, struck and dying away.

    Somebody sings a vowel to them, louder or softer.
    """
    return np.concatenate(
        [_chord(rng, rate_hz, _CHORDS[index]) for index in rng.permutation(3)[: rng.integers(2, 4)]]
    )


SOUNDS: dict[str, Sound] = {"cough": cough, "door": door, "typing": typing, "music": music}


def room(rng: np.random.Generator, level_db: float, rate_hz: int) -> Background:
    """The noise of a room: pink, for ever, its loudest sample `level_db` below full scale."""
    noise = rng.standard_normal(round(_BED_SECONDS * rate_hz))
    spectrum = np.fft.rfft(noise)
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 20))
    bed = at_level(np.fft.irfft(spectrum, len(noise)), level_db)

    def take(start: int, num_samples: int) -> Pcm:
        return np.take(bed, range(start, start + num_samples), mode="wrap")

    return take


def echo(playback: Playback, level_db: float, delay_seconds: float) -> Background:
    """What the caller's loudspeaker plays, heard by their microphone, later and weaker."""
    delay, gain = round(delay_seconds * playback.rate_hz), 10 ** (level_db / 20)

    def take(start: int, num_samples: int) -> Pcm:
        return (gain * playback.between(start - delay, num_samples)).astype(np.int16)

    return take


def _cough_burst(rng: np.random.Generator, rate_hz: int, strength: float) -> Signal:
    times = _times(rng.uniform(0.25, 0.45), rate_hz)
    noise = rng.standard_normal(len(times))
    throat = _band(noise, 500, 1200, rate_hz) + 0.7 * _band(noise, 1500, 3500, rate_hz)
    pitch_hz = rng.uniform(140, 260) * np.exp(-times * rng.uniform(1.0, 2.5))
    burst = throat * np.exp(-times * rng.uniform(12, 20))
    voiced = _vowel(pitch_hz, rate_hz) * np.minimum(times / 0.05, 1.0) * np.exp(-times * 4)
    attack = np.minimum(times / 0.008, 1.0)
    signal: Signal = strength * attack * (burst + rng.uniform(0.5, 2.0) * voiced)
    return signal


def _vowel(pitch_hz: Signal, rate_hz: int) -> Signal:
    """Pulses of a throat at these pitches, through a mouth that says "uh", the loudest sample 1."""
    phase = np.cumsum(pitch_hz) / rate_hz
    pulses = np.diff(np.floor(phase), prepend=0.0)
    frequencies_hz = np.fft.rfftfreq(len(pulses), 1 / rate_hz)
    mouth = np.sum(
        [
            gain / (1 + ((frequencies_hz - formant_hz) / width_hz) ** 2)
            for formant_hz, width_hz, gain in _FORMANTS
        ],
        axis=0,
    )
    voice = np.fft.irfft(np.fft.rfft(pulses) * mouth, len(pulses))
    return voice / (float(np.abs(voice).max(initial=0.0)) or 1.0)


def _click(rng: np.random.Generator, rate_hz: int, low_hz: float, high_hz: float) -> Signal:
    times = _times(0.04, rate_hz)
    snap = _band(rng.standard_normal(len(times)), low_hz, high_hz, rate_hz) * np.exp(-times * 400)
    landing = np.sin(2 * np.pi * rng.uniform(150, 250) * times) * np.exp(-times * 150)
    signal: Signal = snap + 0.3 * landing
    return signal


def _chord(rng: np.random.Generator, rate_hz: int, notes_hz: tuple[float, ...]) -> Signal:
    times = _times(rng.uniform(0.6, 1.0), rate_hz)
    envelope = np.minimum(times / 0.02, 1.0) * np.exp(-times * 2.5)
    partials = [
        np.sin(2 * np.pi * note_hz * harmonic * times) / harmonic
        for note_hz in notes_hz
        for harmonic in range(1, 5)
    ]
    vibrato_hz = notes_hz[2] / 2 * (1 + 0.02 * np.sin(2 * np.pi * 5.5 * times))
    song = rng.uniform(0.0, 20.0) * _vowel(vibrato_hz, rate_hz)
    signal: Signal = envelope * (np.sum(partials, axis=0) + song)
    return signal


def _times(seconds: float, rate_hz: int) -> Signal:
    return np.arange(round(seconds * rate_hz)) / rate_hz


def _band(signal: Signal, low_hz: float, high_hz: float, rate_hz: int) -> Signal:
    """What of it lies between two frequencies, the loudest sample 1."""
    spectrum = np.fft.rfft(signal)
    frequencies_hz = np.fft.rfftfreq(len(signal), 1 / rate_hz)
    spectrum[(frequencies_hz < low_hz) | (frequencies_hz > high_hz)] = 0
    band = np.fft.irfft(spectrum, len(signal))
    return band / (float(np.abs(band).max(initial=0.0)) or 1.0)
