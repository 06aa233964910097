"""Windows of speech in long audio: cut in silence, and never longer than the recognizer takes."""

from collections.abc import AsyncIterator

import numpy as np
import pytest

from engines.vad import RATE_HZ, WINDOW_SAMPLES
from server.audio import Samples, samples_from_int16
from server.rest.windows import LONGEST_SECONDS, SpeechWindow, speech_windows
from tests.fakes import Stage
from tests.server.rest.door import loud, quiet


async def blocks(samples: Samples, size: int = 7000) -> AsyncIterator[Samples]:
    for start in range(0, len(samples), size):
        yield samples[start : start + size]


async def windows(*parts: np.ndarray[tuple[int], np.dtype[np.int16]]) -> list[SpeechWindow]:
    samples = samples_from_int16(np.concatenate(parts))
    return [window async for window in speech_windows(Stage().engines, blocks(samples))]


async def test_silence_has_none() -> None:
    assert await windows(quiet(5)) == []


async def test_speech_apart_is_windows_apart() -> None:
    first, second = await windows(quiet(3), loud(1), quiet(4), loud(2), quiet(0.1))
    assert first.start_seconds == pytest.approx(2.7, abs=0.1)
    assert len(first.samples) / RATE_HZ == pytest.approx(1.6, abs=0.1)
    assert second.start_seconds == pytest.approx(7.7, abs=0.1)
    assert len(second.samples) / RATE_HZ == pytest.approx(2.4, abs=0.1)


async def test_a_short_pause_does_not_cut() -> None:
    (only,) = await windows(loud(1), quiet(0.6), loud(1))
    assert len(only.samples) / RATE_HZ == pytest.approx(2.6, abs=0.1)


async def test_long_speech_is_cut_in_its_pause() -> None:
    first, second = await windows(loud(18), quiet(0.5), loud(15))
    cut_seconds = len(first.samples) / RATE_HZ
    assert 18.0 < cut_seconds < 18.5
    assert second.start_seconds == pytest.approx(cut_seconds, abs=0.001)


async def test_speech_without_a_pause_is_cut_all_the_same_and_nothing_is_lost() -> None:
    cut = await windows(loud(70))
    lengths = [len(window.samples) for window in cut]
    assert max(lengths) <= LONGEST_SECONDS * RATE_HZ
    assert sum(lengths) == pytest.approx(70 * RATE_HZ, abs=WINDOW_SAMPLES)
    starts = [round(window.start_seconds * RATE_HZ) for window in cut]
    assert starts == [sum(lengths[:n]) for n in range(len(lengths))]
