"""Cutting long audio into windows that Whisper can take, where the speech allows it."""

import numpy as np
import numpy.typing as npt

RATE_HZ = 16000
MAX_WINDOW_SECONDS = 28.0  # Whisper takes 30

_HOP_SAMPLES = RATE_HZ // 50  # 20 ms
_PAUSE_HOPS = 10  # a pause is 200 ms of little energy
_EARLIEST_CUT = 0.6  # of the window

Samples = npt.NDArray[np.float32]


def window_end(samples: Samples, start: int, max_samples: int) -> int:
    """Where the window that begins at `start` ends: at the end of the audio, or in a pause.

    The cut is in the middle of the quietest 200 ms of the window's last 40%.
    """
    if len(samples) - start <= max_samples:
        return len(samples)
    earliest = start + int(max_samples * _EARLIEST_CUT)
    return earliest + _quietest_sample(samples[earliest : start + max_samples])


def _quietest_sample(samples: Samples) -> int:
    hops = samples[: len(samples) // _HOP_SAMPLES * _HOP_SAMPLES].reshape(-1, _HOP_SAMPLES)
    energy = np.square(hops).mean(axis=1, dtype=np.float64)
    pauses = np.convolve(energy, np.ones(_PAUSE_HOPS), mode="valid")
    return (int(pauses.argmin()) + _PAUSE_HOPS // 2) * _HOP_SAMPLES
