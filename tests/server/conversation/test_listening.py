"""From frames at the wire's rate to windows: none is late, and none is lost."""

import numpy as np
import pytest

from engines.vad import RATE_HZ, WINDOW_SAMPLES
from server.audio import Samples
from server.conversation.endpointing import EndpointingConfig
from server.conversation.listening import Listener, ListeningConfig, with_eagerness
from server.resampling import Resampler
from tests.fakes import Stage
from tests.sounds import tone

CONFIG = ListeningConfig(EndpointingConfig())


def listener(rate_hz: int) -> Listener:
    return Listener(Stage().engines.vad, CONFIG, rate_hz)


def frames(samples: Samples, size: int) -> list[Samples]:
    return [samples[start : start + size] for start in range(0, len(samples), size)]


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 24_000])
@pytest.mark.parametrize("milliseconds", [1, 20, 33, 250])
def test_a_window_comes_with_the_frame_that_makes_it_whole(rate_hz: int, milliseconds: int) -> None:
    heard, resampler = listener(rate_hz), Resampler(rate_hz, RATE_HZ)
    resampled, windows = np.zeros(0, np.float32), list[Samples]()
    for frame in frames(tone(rate_hz), rate_hz * milliseconds // 1000):
        windows += heard.windows(frame)
        resampled = np.concatenate([resampled, resampler.push(frame)])
        assert len(windows) == len(resampled) // WINDOW_SAMPLES
    whole = len(windows) * WINDOW_SAMPLES
    assert np.allclose(np.concatenate(windows), resampled[:whole], atol=1e-6)


def test_what_was_said_at_another_rate_is_kept() -> None:
    heard = listener(8_000)
    assert heard.windows(tone(8_000)[:160]) == []  # 20 ms
    heard.reconfigure(CONFIG, 16_000)
    windows = heard.windows(tone(16_000)[:512])
    assert len(windows) == 1
    assert np.abs(windows[0]).max() > 0.1
    assert len(heard.windows(tone(16_000)[:400])) == 1


@pytest.mark.parametrize(("eagerness", "seconds"), [("low", 0.6), ("auto", 0.3), ("high", 0.2)])
def test_words_that_read_as_complete_end_a_turn_the_sooner_the_more_eager(
    eagerness: str, seconds: float
) -> None:
    silence_after = with_eagerness(CONFIG, eagerness).endpointing.silence_after
    assert silence_after(0.9) == pytest.approx(seconds, abs=0.01)
    assert silence_after(1.0) < seconds
