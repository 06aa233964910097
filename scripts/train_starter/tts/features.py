"""What the voice is taught to predict for each frame of eSpeak NG's audio.

WORLD's spectral envelope in mel-spaced bands and aperiodicity (Morise et al. 2016), with pitch and
voicing of our own.
"""

import numpy as np
import pyworld
from numpy.typing import NDArray

from scripts.train_starter.tts.pitch import track

RATE_HZ = 22050
HOP_SAMPLES = 256
NUM_BANDS = 60
NUM_APERIODICITIES = 2  # WORLD's coding at 22,050 Hz: at 3 and 6 kHz
NUM_FEATURES = NUM_BANDS + 2 + NUM_APERIODICITIES  # bands, log F0, voiced, aperiodicities

_FFT_SIZE = 1024
_ENVELOPE_FLOOR_HZ = 71.0  # the lowest F0 that an FFT of 1,024 allows
_POWER_FLOOR = 1e-10
_UNVOICED_HZ = 100.0  # where a text has no voiced frame at all

Frames = NDArray[np.float32]


def mel_centres() -> NDArray[np.float64]:
    """Centre frequencies of the bands in Hz, from 0 to half the rate."""
    top = 2595 * np.log10(1 + RATE_HZ / 2 / 700)
    return 700 * (10 ** (np.linspace(0, top, NUM_BANDS) / 2595) - 1)


def band_weights(fft_size: int) -> NDArray[np.float64]:
    """[NUM_BANDS, fft_size / 2 + 1]: each bin shared between the two bands that it lies between."""
    centres = mel_centres()
    bins = np.arange(fft_size // 2 + 1) * RATE_HZ / fft_size
    return np.stack([np.interp(bins, centres, row) for row in np.eye(NUM_BANDS)])


def analyse(audio: NDArray[np.float64]) -> Frames:
    """float32[len(audio) // HOP_SAMPLES, NUM_FEATURES] of audio within -1..1.

    Each row is measured in the middle of its hop.
    """
    pitch = track(audio, RATE_HZ, HOP_SAMPLES)
    seconds = (np.arange(len(pitch)) + 0.5) * HOP_SAMPLES / RATE_HZ
    power = pyworld.cheaptrick(
        audio, pitch, seconds, RATE_HZ, fft_size=_FFT_SIZE, f0_floor=_ENVELOPE_FLOOR_HZ
    )
    aperiodicity = pyworld.d4c(audio, pitch, seconds, RATE_HZ, fft_size=_FFT_SIZE)
    weights = band_weights(_FFT_SIZE)
    weights /= weights.sum(axis=1, keepdims=True)
    bands = np.log(power @ weights.T + _POWER_FLOOR)
    voiced = (pitch > 0).astype(float)
    coded = pyworld.code_aperiodicity(aperiodicity, RATE_HZ)
    return np.column_stack([bands, _log_pitch(pitch), voiced, coded]).astype(np.float32)


def _log_pitch(pitch: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log F0 in every frame, drawn straight through the unvoiced ones."""
    voiced = np.nonzero(pitch)[0]
    if not len(voiced):
        return np.full(len(pitch), np.log(_UNVOICED_HZ))
    return np.interp(np.arange(len(pitch)), voiced, np.log(pitch[voiced]))
