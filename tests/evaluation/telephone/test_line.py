"""What the simulated line does to speech, and its network to frames."""

import numpy as np
import pytest

from evaluation.recording import Pcm
from evaluation.telephone.line import Network, telephone_band
from server.g711 import RATE_HZ


def tone(hz: float) -> Pcm:
    time = np.arange(RATE_HZ) / RATE_HZ
    return (8000 * np.sin(2 * np.pi * hz * time)).astype(np.int16)


def level(samples: Pcm) -> float:
    return float(np.sqrt(np.mean(np.square(samples[800:-800].astype(float)))))


@pytest.mark.parametrize(
    ("hz", "lowest", "highest"),
    [(60, 0.0, 0.02), (150, 0.0, 0.3), (1000, 0.95, 1.05), (3000, 0.95, 1.05), (3800, 0.0, 0.02)],
)
def test_only_the_telephones_band_passes(hz: float, lowest: float, highest: float) -> None:
    assert lowest <= level(telephone_band(tone(hz))) / level(tone(hz)) <= highest


def test_the_line_is_mu_law() -> None:
    passed = telephone_band(tone(1000))
    assert len(np.unique(passed)) <= 256
    assert len(telephone_band(passed[:0])) == 0


def test_frames_arrive_late_but_in_order_and_the_same_for_the_same_seed() -> None:
    def arrivals() -> list[float]:
        network = Network(delay_seconds=0.04, jitter_seconds=0.05, seed=3)
        return [network.arrives(0.02 * number) for number in range(500)]

    times = arrivals()
    delays = np.array(times) - 0.02 * np.arange(500)
    assert times == sorted(times) == arrivals()
    assert 0.04 <= delays.min() < delays.max() < 0.1


def test_some_frames_are_lost() -> None:
    network = Network(loss=0.1)
    assert 60 < sum(network.loses() for _ in range(1000)) < 140
    assert not any(Network().loses() for _ in range(1000))
