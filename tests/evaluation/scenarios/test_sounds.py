"""The sounds: bounded, audible, the same for the same seed; and the echo."""

import numpy as np
import pytest

from evaluation.recording import Playback
from evaluation.scenarios.sounds import SOUNDS, at_level, echo, room

RATE_HZ = 24_000


@pytest.mark.parametrize("name", SOUNDS)
def test_a_sound_is_short_finite_and_different_with_each_seed(name: str) -> None:
    first, again, other = (SOUNDS[name](np.random.default_rng(seed), RATE_HZ) for seed in (1, 1, 2))
    assert np.isfinite(first).all()
    assert 0.3 * RATE_HZ < len(first) < 4 * RATE_HZ
    assert np.array_equal(first, again)
    assert len(first) != len(other) or not np.array_equal(first, other)


def test_a_level_is_that_of_the_loudest_sample() -> None:
    sound = at_level(np.array([0.1, -0.5, 0.2]), -6.0)
    assert int(np.abs(sound).max()) == pytest.approx(32767 * 10 ** (-6 / 20), abs=1)


def test_a_room_goes_on_for_ever_without_a_seam_in_its_position() -> None:
    bed = room(np.random.default_rng(1), -40.0, RATE_HZ)
    assert np.array_equal(bed(5, 100), bed(5 + 10 * RATE_HZ, 100))
    assert np.array_equal(bed(5, 100)[50:], bed(55, 50))
    assert 0 < int(np.abs(bed(0, 10 * RATE_HZ)).max()) <= 328


def test_an_echo_is_what_was_played_later_and_weaker() -> None:
    playback = Playback(1000)
    playback.receive(np.full(100, 10_000, dtype=np.int16), at_seconds=1.0)
    heard = echo(playback, -20.0, 0.05)
    assert not heard(1000, 50).any()
    assert heard(1050, 100).tolist() == [1000] * 100
    assert not heard(1150, 50).any()
