"""The caller against a stand-in for the server: timing, hearing an answer out, dead lines."""

import numpy as np
import pytest

from evaluation.caller import CallFailed, call
from tests.evaluation.realtime_double import END_SILENCE_SECONDS, Double, serving, tone


async def test_a_caller_speaks_in_real_time_and_hears_the_answer_out() -> None:
    async with serving(Double()) as url, call(url) as caller:
        spoken = caller.speak(tone(0.3), after_seconds=0.1)
        await caller.sleep_until(spoken.end_seconds)
        assert caller.now_seconds >= spoken.end_seconds >= spoken.start_seconds + 0.29
        await caller.hear_answer(0.0, timeout_seconds=10.0)
        assert caller.now_seconds >= caller.playback.end_seconds
        first_sound = caller.playback.first_sound_after(spoken.end_seconds)
    assert first_sound is not None
    assert first_sound - spoken.end_seconds >= END_SILENCE_SECONDS
    left, right = caller.microphone.to_samples(), caller.playback.to_samples()
    assert np.abs(left).max() > 10_000
    assert np.count_nonzero(right) > 0.25 * 24_000


async def test_the_line_is_never_closed_between_words() -> None:
    async with serving(Double(flaw="deaf")) as url, call(url) as caller:
        await caller.rest(0.3)
    assert len(caller.microphone.to_samples()) >= 0.25 * 24_000


async def test_the_session_leaves_the_language_open_and_asks_for_records() -> None:
    async with serving(Double()) as url, call(url) as caller:
        (updated,) = caller.received("session.updated")
    session = updated["session"]
    assert session["audio"]["input"]["transcription"] == {"model": "tinig"}
    assert session["tinig"] == {"events": ["turn"]}


async def test_an_answer_that_never_ends_is_not_waited_for_for_ever() -> None:
    async with serving(Double(flaw="endless")) as url, call(url) as caller:
        caller.speak(tone(0.1))
        with pytest.raises(CallFailed, match="no complete answer within 1 s"):
            await caller.hear_answer(0.0, timeout_seconds=1.0)


async def test_a_dead_line_is_said_with_its_code() -> None:
    async with serving(Double(flaw="hangs up")) as url, call(url) as caller:
        caller.speak(tone(0.1))
        with pytest.raises(CallFailed, match="the server closed it with code 1011"):
            await caller.hear_answer(0.0, timeout_seconds=10.0)


async def test_silence_cannot_be_spoken() -> None:
    async with serving(Double()) as url, call(url) as caller:
        with pytest.raises(CallFailed, match="silent"):
            caller.speak(0 * tone(0.1))


async def test_a_refused_session_is_said_in_the_servers_words() -> None:
    async with serving(Double(flaw="refuses")) as url:
        with pytest.raises(CallFailed, match="No such setting"):
            async with call(url):
                pass


async def test_a_server_that_is_not_there_is_said() -> None:
    with pytest.raises(CallFailed, match="cannot call"):
        async with call("ws://127.0.0.1:9/v1/realtime"):
            pass
