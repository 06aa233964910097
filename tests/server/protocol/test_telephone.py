"""What both telephone doors share: keys, a line without audio, a line with too much of it."""

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.errors import ProtocolError
from server.commands import AppendAudio, Command, KeysPressed
from server.config import TelephoneConfig
from server.protocol.telephone import (
    BURST_SECONDS,
    KEYS,
    SILENCE_AFTER_SECONDS,
    TICK_SECONDS,
    Intake,
    Keypad,
    outcomes,
)

RATE_HZ = 8_000
FRAME = np.full(RATE_HZ // 50, 0.3, dtype=np.float32)


def intake(*, has_persons: bool = True) -> Intake:
    return Intake(TelephoneConfig(key_pause_seconds=2.0), 0.0, has_persons=has_persons)


def seconds_of(commands: Iterable[Command]) -> float:
    return sum(len(c.samples) / RATE_HZ for c in commands if isinstance(c, AppendAudio))


def keys_of(commands: Iterable[Command]) -> list[str]:
    return [command.keys for command in commands if isinstance(command, KeysPressed)]


def test_keys_are_entered_by_a_pause_or_a_hash() -> None:
    keypad = Keypad(2.0)
    assert [keypad.press(key) for key in "41"] == ["", ""]
    assert keypad.wait(1.5) == ""
    assert keypad.press("5") == ""
    assert keypad.wait(1.5) == ""
    assert keypad.wait(0.5) == "415"
    assert keypad.wait(9.0) == ""
    assert [keypad.press(key) for key in "7#"] == ["", "7"]
    assert keypad.press("#") == ""


@given(st.lists(st.sampled_from(KEYS) | st.floats(0, 3)))
def test_no_key_is_lost_and_none_comes_twice(acts: list[str | float]) -> None:
    keypad = Keypad(2.0)
    entered = [keypad.press(act) if isinstance(act, str) else keypad.wait(act) for act in acts]
    entered.append(keypad.press("#"))
    pressed = [act for act in acts if isinstance(act, str) and act != "#"]
    assert "".join(entered) == "".join(pressed)
    assert max(len(keys) for keys in entered) <= 32


def test_the_key_for_a_person_alone_is_no_input() -> None:
    line = intake()
    assert keys_of(line.press("0", 0.0)) == []
    assert keys_of(line.press("#", 0.0)) == []
    assert line.wants_person


def test_the_key_for_a_person_is_a_digit_among_others_and_where_there_is_nobody() -> None:
    line = intake()
    for key in "0917":
        assert keys_of(line.press(key, 0.0)) == []
    assert keys_of(line.press("#", 0.0)) == ["0917"]
    alone = intake(has_persons=False)
    assert keys_of(alone.press("0", 0.0)) == []
    assert keys_of(alone.press("#", 0.0)) == ["0"]
    assert [line.wants_person, alone.wants_person] == [False, False]


def test_a_line_that_sends_nothing_gives_silence_in_real_time() -> None:
    line = intake()
    heard = [seconds_of(line.rest(tick * TICK_SECONDS)) for tick in range(101)]
    assert sum(heard) == pytest.approx(10.0 - SILENCE_AFTER_SECONDS, abs=TICK_SECONDS + 0.01)
    assert max(heard) < 0.25


def test_a_line_that_sends_audio_gets_none_besides() -> None:
    line = intake()
    for number in range(100):
        now_seconds = 0.02 * number
        assert seconds_of(line.hear(FRAME, now_seconds)) == pytest.approx(0.02)
        assert seconds_of(line.rest(now_seconds)) == 0.0


def test_audio_that_was_held_back_may_come_at_once_but_not_for_ever() -> None:
    line = intake()
    burst = np.zeros(round(BURST_SECONDS * RATE_HZ), dtype=np.float32)
    assert seconds_of(line.hear(burst, 0.0)) == BURST_SECONDS
    with pytest.raises(ProtocolError, match="faster than anybody speaks"):
        list(line.hear(FRAME, 0.001))
    later = intake()
    later_seconds = seconds_of(later.hear(burst, 0.0)) + seconds_of(later.hear(burst, 5.0))
    assert later_seconds == 2 * BURST_SECONDS


def test_keys_are_no_faster_than_fingers() -> None:
    line = intake()
    entered = [keys_of(line.press(key, 0.0)) for key in "1#" * 50]
    assert entered == [[], ["1"]] * 50
    with pytest.raises(ProtocolError, match="types"):
        list(line.press("1", 0.0))


def test_silence_earns_no_longer_burst() -> None:
    line = intake()
    for tick in range(36_001):
        list(line.rest(tick * TICK_SECONDS))
    burst = np.zeros(round(BURST_SECONDS * RATE_HZ) + 1, dtype=np.float32)
    with pytest.raises(ProtocolError, match="faster"):
        list(line.hear(burst, 3600.0))


def test_nor_does_a_word_now_and_then() -> None:
    line = intake()
    for tick in range(6_001):
        now_seconds = tick * TICK_SECONDS
        if tick % 5 == 0:
            list(line.hear(FRAME, now_seconds))
        list(line.rest(now_seconds))
    burst = np.zeros(round((BURST_SECONDS + TICK_SECONDS) * RATE_HZ), dtype=np.float32)
    with pytest.raises(ProtocolError, match="faster"):
        list(line.hear(burst, now_seconds))


def test_a_stall_of_ours_is_neither_silence_nor_held_against_the_caller() -> None:
    """Whether the first look after it finds what has come meanwhile, or times out."""
    line = intake()
    stall_seconds = 2 * BURST_SECONDS
    backlog = [FRAME] * round(stall_seconds * 50)
    for number, begins in enumerate([0.0, stall_seconds, 2 * stall_seconds]):
        now_seconds = begins + stall_seconds
        if number:
            assert seconds_of(line.rest(now_seconds)) == 0.0
        heard = sum(seconds_of(line.hear(frame, now_seconds)) for frame in backlog)
        assert heard == pytest.approx(stall_seconds)
        assert seconds_of(line.rest(now_seconds)) == 0.0


def test_a_machine_that_is_too_slow_for_long_may_catch_up() -> None:
    """A minute late, without a pause that is long."""
    line = intake()
    for number in range(6_000):
        now_seconds = min(0.04 * number, 120.0)
        assert seconds_of(line.hear(FRAME, now_seconds)) == pytest.approx(0.02)
        assert seconds_of(line.rest(now_seconds)) == 0.0


def test_outcomes_are_told_once_and_the_oldest_forgotten() -> None:
    told = outcomes()
    told.note("a", "person")
    assert (told.take("a"), told.take("a"), told.take("b")) == (
        "person",
        "over",
        "over",
    )
    for number in range(1001):
        told.note(str(number), "full")
    assert (told.take("0"), told.take("1")) == ("over", "full")
