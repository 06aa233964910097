"""Faults of synthesized audio."""

import numpy as np
import pytest

from evaluation.recording import Pcm
from evaluation.tts.signal import inspect

RATE_HZ = 16_000


def tone(seconds: float, peak: float = 0.5) -> Pcm:
    wave = np.sin(np.arange(round(seconds * RATE_HZ)) / 5)
    return np.clip(wave * peak * 32768, -32768, 32767).astype(np.int16)


def silence(seconds: float) -> Pcm:
    return np.zeros(round(seconds * RATE_HZ), np.int16)


@pytest.mark.parametrize(
    ("parts", "faults"),
    [
        ([tone(0.5), silence(0.3), tone(0.5)], ()),
        ([silence(2.0)], ("silent", "late")),
        ([silence(0.5)], ("silent",)),
        ([tone(0.5, peak=1.5)], ("clipped",)),
        ([silence(1.2), tone(0.5)], ("late",)),
        ([tone(0.5), silence(1.2)], ("trailing",)),
        ([tone(0.5), silence(1.2), tone(0.5)], ("gap",)),
        ([], ("silent",)),
    ],
)
def test_faults(parts: list[Pcm], faults: tuple[str, ...]) -> None:
    assert inspect(np.concatenate([silence(0), *parts]), RATE_HZ).faults == faults


def test_the_level_is_that_of_the_speech_and_not_of_the_silence() -> None:
    alone = inspect(tone(1.0), RATE_HZ)
    assert alone.level_db == pytest.approx(-9.0, abs=0.1)
    with_silence = inspect(np.concatenate([silence(0.9), tone(1.0)]), RATE_HZ)
    assert with_silence.level_db == pytest.approx(alone.level_db, abs=0.1)
    assert with_silence.leading_seconds == pytest.approx(0.9, abs=0.01)
