"""Long audio is cut in its pauses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.stt.windows import RATE_HZ, window_end

WINDOW = 10 * RATE_HZ


def speech_with_pause(
    seconds: float, pause_at: float
) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    samples = np.random.default_rng(1).standard_normal(int(seconds * RATE_HZ)).astype(np.float32)
    start = int(pause_at * RATE_HZ)
    samples[start : start + RATE_HZ // 4] *= 0.01
    return samples


def test_short_audio_is_one_window() -> None:
    assert window_end(np.zeros(WINDOW, np.float32), 0, WINDOW) == WINDOW


@pytest.mark.parametrize("pause_at", [6.2, 7.5, 9.6])
def test_the_cut_is_in_the_middle_of_a_pause(pause_at: float) -> None:
    end = window_end(speech_with_pause(30, pause_at), 0, WINDOW)
    assert end / RATE_HZ == pytest.approx(pause_at + 0.125, abs=0.05)


def test_the_cut_counts_from_the_start_of_the_window() -> None:
    end = window_end(speech_with_pause(30, 12.0), 5 * RATE_HZ, WINDOW)
    assert end / RATE_HZ == pytest.approx(12.125, abs=0.05)


@given(st.integers(0, 60 * RATE_HZ), st.integers(2 * RATE_HZ, 28 * RATE_HZ))
def test_windows_cover_the_audio_and_are_never_too_long(length: int, max_samples: int) -> None:
    samples = np.zeros(length, np.float32)
    start = 0
    while start < length:
        end = window_end(samples, start, max_samples)
        assert start < end <= start + max_samples
        start = end
    assert start == length
