"""Sounds to test with."""

import numpy as np

from server.audio import Samples


def tone(rate_hz: int, seconds: float = 1.0, frequency_hz: float = 440.0) -> Samples:
    """A sine of half of full scale, float32[n]."""
    time_seconds = np.arange(round(rate_hz * seconds)) / rate_hz
    return (0.5 * np.sin(2 * np.pi * frequency_hz * time_seconds)).astype(np.float32)
