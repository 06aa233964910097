"""Our own voice in the caller's microphone, told from other sounds by comparing waveforms."""

import numpy as np
import pytest

from engines.vad import RATE_HZ
from server.audio import Samples, int16_from_samples
from server.conversation.echo import LONGEST_DELAY_SECONDS, SentSound
from server.resampling import resample

SENT_HZ = 24_000


def voice(seed: int, seconds: float, rate_hz: int) -> Samples:
    """Something like speech: a buzz of wandering pitch, and breath, in syllables."""
    rng = np.random.default_rng(seed)
    times = np.arange(round(seconds * rate_hz)) / rate_hz
    pitch_hz = rng.uniform(100, 200) * (1 + 0.2 * np.sin(2 * np.pi * rng.uniform(0.5, 2) * times))
    phase = 2 * np.pi * np.cumsum(pitch_hz) / rate_hz
    buzz = np.sum([np.sin(k * phase + rng.uniform(0, 6)) / k for k in range(1, 12)], axis=0)
    syllables = 0.55 + 0.45 * np.sin(2 * np.pi * 4 * times + rng.uniform(0, 6))
    signal = syllables * (buzz + 0.3 * rng.standard_normal(len(times)))
    loud: Samples = (0.3 * signal / np.abs(signal).max()).astype(np.float32)
    return loud


def at_16_khz(samples: Samples) -> Samples:
    return resample(samples, SENT_HZ, RATE_HZ)


@pytest.fixture
def answer() -> Samples:
    return voice(1, 2.0, SENT_HZ)


@pytest.fixture
def sent(answer: Samples) -> SentSound:
    """What was sent since second 10 of the clock, in pieces of 40 ms."""
    sound = SentSound()
    for index, piece in enumerate(np.split(answer, 50)):
        sound.add(int16_from_samples(piece), SENT_HZ, 10.0 + 0.04 * index)
    return sound


def echo_of(answer: Samples, heard_seconds: float, delay_seconds: float, gain: float) -> Samples:
    """The microphone's last 0.4 s at a time of the clock, float32 at 16 kHz."""
    end = round((heard_seconds - 10.0 - delay_seconds) * RATE_HZ)
    return (gain * at_16_khz(answer)[max(0, end - 6400) : end]).astype(np.float32)


@pytest.mark.parametrize("gain", [0.1, 0.3, 1.0])
@pytest.mark.parametrize("delay_seconds", [0.05, 0.3, 0.9])
def test_an_echo_is_known_however_weak_and_late(
    sent: SentSound, answer: Samples, gain: float, delay_seconds: float
) -> None:
    heard = echo_of(answer, 11.8, delay_seconds, gain)
    assert sent.likeness(heard, 11.8) > 0.9


def test_an_echo_in_a_noisy_room_is_still_one(sent: SentSound, answer: Samples) -> None:
    heard = echo_of(answer, 11.8, 0.1, 0.1)
    noise = np.random.default_rng(3).standard_normal(len(heard)).astype(np.float32)
    noise *= np.sqrt(np.mean(heard**2)) / 10
    assert sent.likeness(heard + noise, 11.8) > 0.5


@pytest.mark.parametrize("seed", range(2, 8))
def test_another_voice_is_none_and_drowns_the_echo_that_it_speaks_over(
    sent: SentSound, answer: Samples, seed: int
) -> None:
    other = voice(seed, 0.4, RATE_HZ)
    assert sent.likeness(other, 11.8) < 0.4
    assert sent.likeness(other + echo_of(answer, 11.8, 0.1, 0.1), 11.8) < 0.5


def test_what_was_sent_long_ago_is_not_heard_any_more(sent: SentSound, answer: Samples) -> None:
    heard = echo_of(answer, 11.8, 0.1, 0.3)
    assert sent.likeness(heard, 12.0 + 2 * LONGEST_DELAY_SECONDS) == 0.0


def test_there_is_no_echo_of_nothing_and_none_in_silence(sent: SentSound) -> None:
    assert SentSound().likeness(voice(2, 0.4, RATE_HZ), 11.0) == 0.0
    assert sent.likeness(np.zeros(6400, np.float32), 11.8) == 0.0
    assert sent.likeness(voice(2, 0.05, RATE_HZ), 11.8) == 0.0


def test_silence_that_was_sent_is_like_nothing() -> None:
    sound = SentSound()
    sound.add(np.zeros(SENT_HZ, np.float32), SENT_HZ, 10.0)
    assert sound.likeness(voice(2, 0.4, RATE_HZ), 11.0) == 0.0
