"""The two sides of a call on one clock."""

import wave
from pathlib import Path

import numpy as np
import pytest

from evaluation.recording import Microphone, Pcm, Playback, voiced_span, write_stereo

RATE_HZ = 1_000


def loud(num_samples: int) -> Pcm:
    return np.full(num_samples, 10_000, dtype=np.int16)


def quiet(num_samples: int) -> Pcm:
    return np.full(num_samples, 100, dtype=np.int16)


def test_the_voiced_span_leaves_silence_out() -> None:
    assert voiced_span(np.concatenate([quiet(3), loud(4), quiet(5)])) == (3, 7)
    assert voiced_span(np.array([-32768], dtype=np.int16)) == (0, 1)
    assert voiced_span(quiet(9)) is None


def test_a_microphone_sends_silence_until_there_is_speech() -> None:
    microphone = Microphone(RATE_HZ)
    assert not microphone.take(20).any()
    assert microphone.speak(loud(30)) == 0.02
    assert microphone.speak(loud(5)) == 0.05
    assert microphone.take(20).tolist() == [10_000] * 20
    assert microphone.take(20).tolist() == [10_000] * 15 + [0] * 5
    assert len(microphone.to_samples()) == 60


def test_playback_starts_at_arrival_or_after_what_still_plays() -> None:
    playback = Playback(RATE_HZ)
    playback.receive(loud(100), at_seconds=0.5)
    playback.receive(loud(100), at_seconds=0.51)
    assert playback.end_seconds == 0.7
    playback.receive(loud(10), at_seconds=1.0)
    assert playback.end_seconds == 1.01
    assert np.flatnonzero(playback.to_samples()).tolist() == [*range(500, 700), *range(1000, 1010)]


def test_an_interruption_takes_back_what_has_not_been_played() -> None:
    playback = Playback(RATE_HZ)
    playback.receive(loud(100), at_seconds=0.0)
    playback.receive(loud(100), at_seconds=0.0)
    playback.interrupt(at_seconds=0.05)
    assert playback.end_seconds == 0.05
    playback.receive(loud(10), at_seconds=0.08)
    assert np.flatnonzero(playback.to_samples()).tolist() == [*range(50), *range(80, 90)]


def test_an_interruption_in_silence_changes_nothing() -> None:
    playback = Playback(RATE_HZ)
    playback.interrupt(at_seconds=1.0)
    playback.receive(loud(100), at_seconds=0.0)
    playback.interrupt(at_seconds=1.0)
    assert playback.end_seconds == 0.1


def test_the_first_sound_is_found_behind_silence_and_inside_a_clip() -> None:
    playback = Playback(RATE_HZ)
    assert playback.first_sound_after(0.0) is None
    playback.receive(np.concatenate([quiet(100), loud(100)]), at_seconds=1.0)
    assert playback.first_sound_after(0.0) == pytest.approx(1.1)
    assert playback.first_sound_after(1.15) == pytest.approx(1.15)
    assert playback.first_sound_after(1.2) is None


def test_a_stereo_wav_has_the_caller_left_and_the_server_right(tmp_path: Path) -> None:
    path = tmp_path / "call.wav"
    write_stereo(path, loud(2), quiet(3), RATE_HZ)
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getframerate(), file.getsampwidth()) == (2, RATE_HZ, 2)
        samples = np.frombuffer(file.readframes(3), dtype="<i2").reshape(-1, 2)
    assert samples.tolist() == [[10_000, 100], [10_000, 100], [0, 100]]


def test_a_background_is_mixed_into_speech_and_silence_and_cannot_overflow() -> None:
    microphone = Microphone(RATE_HZ)
    microphone.backgrounds.append(lambda start, count: np.arange(start, start + count, dtype="i2"))
    microphone.speak(loud(10))
    assert microphone.take(20).tolist() == [*range(10_000, 10_010), *range(10, 20)]
    microphone.backgrounds.append(lambda start, count: np.full(count, 32_767, dtype=np.int16))
    assert microphone.take(5).tolist() == [32_767] * 5
    assert microphone.taken_seconds == 0.025


def test_a_pause_is_silence_at_once_and_playback_goes_on_where_it_was() -> None:
    playback = Playback(RATE_HZ)
    playback.receive(np.arange(1000, 1100, dtype=np.int16), at_seconds=0.0)
    playback.pause(at_seconds=0.04)
    playback.receive(loud(10), at_seconds=0.05)
    assert (playback.is_paused, playback.end_seconds) == (True, 0.04)
    playback.resume(at_seconds=0.2)
    assert (playback.is_paused, playback.end_seconds) == (False, 0.27)
    played = playback.to_samples().tolist()
    assert played[:40] == [*range(1000, 1040)]
    assert played[40:200] == [0] * 160
    assert played[200:] == [*range(1040, 1100), *[10_000] * 10]
    assert playback.cuts == [0.04]


def test_an_interruption_ends_a_pause_and_drops_what_it_held() -> None:
    playback = Playback(RATE_HZ)
    playback.receive(loud(100), at_seconds=0.0)
    playback.pause(at_seconds=0.04)
    playback.interrupt(at_seconds=0.06)
    playback.resume(at_seconds=0.2)
    assert playback.end_seconds == 0.04
    assert not playback.is_paused


def test_gaps_and_what_is_heard_around_them() -> None:
    playback = Playback(RATE_HZ)
    playback.receive(loud(100), at_seconds=1.0)
    playback.receive(loud(100), at_seconds=1.15)
    playback.receive(loud(100), at_seconds=1.5)
    assert playback.gaps(0.0, 2.0) == [(1.25, 1.5)]
    assert playback.gaps(1.3, 2.0) == []
    assert playback.is_heard_at(1.05)
    assert playback.is_heard_at(1.3)
    assert not playback.is_heard_at(0.9)
    assert not playback.is_heard_at(1.7)


def test_a_stretch_of_what_was_played_has_silence_around_it() -> None:
    playback = Playback(RATE_HZ)
    playback.receive(np.arange(1, 11, dtype=np.int16), at_seconds=0.1)
    assert playback.between(95, 10).tolist() == [0] * 5 + [1, 2, 3, 4, 5]
    assert playback.between(105, 10).tolist() == [6, 7, 8, 9, 10] + [0] * 5
    assert playback.between(-20, 10).tolist() == [0] * 10
