"""A caller goes on speaking whether heard in time or not; how late they are heard is measured."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest

from engines.batcher import Priority
from engines.vad import WINDOW_SAMPLES
from server.commands import AppendAudio, Command
from server.config import ConversationConfig, InterruptionConfig
from server.conversation.endpointing import WINDOW_SECONDS
from server.conversation.lag import HearingLag
from server.events import TurnFinished
from server.metrics import Counters, Milestone, TurnRecord
from server.session import Session
from server.settings import AudioFormat, Settings
from tests.fakes import FakeBatcher, Stage
from tests.virtual import virtual_time

SPEECH_SECONDS = 3.2


def test_what_waits_is_late_by_what_was_late_before_it() -> None:
    lag = HearingLag()
    assert lag.begin(0.032, 10.0) == 10.0
    lag.end(10.1)
    assert lag.seconds == pytest.approx(0.1)
    assert lag.begin(0.032, 10.1) == pytest.approx(10.032)  # a window after the one before
    lag.end(10.11)
    assert lag.seconds == pytest.approx(0.078)


def test_who_says_nothing_for_long_was_not_late() -> None:
    lag = HearingLag()
    lag.begin(0.032, 10.0)
    lag.end(10.02)
    assert lag.begin(0.032, 60.0) == 60.0


def test_who_was_late_and_then_says_nothing_for_long_is_heard_in_time_again() -> None:
    lag = HearingLag()
    lag.begin(0.032, 10.0)
    lag.end(10.5)
    assert lag.begin(0.032, 10.6) == pytest.approx(10.2)  # what was late is not all worked off
    assert not lag.is_in_time
    lag.end(10.61)
    assert lag.begin(0.032, 60.0) == 60.0
    assert lag.is_in_time


def test_who_waited_for_what_came_before_is_not_heard_in_time() -> None:
    lag = HearingLag()
    for took_seconds, is_in_time in [(0.03, True), (0.05, True), (0.01, False), (0.01, True)]:
        lag.begin(0.032, 10.0)
        assert lag.is_in_time is is_in_time
        lag.end(10.0 + took_seconds)


async def speak_on(stage: Stage) -> tuple[TurnRecord, Counters]:
    """A turn of a caller whose windows come one by one."""
    counters = Counters()
    session = Session(
        "sess_test",
        stage.engines,
        config=ConversationConfig(adaptive_endpointing=False),
        interruption=InterruptionConfig(),
        settings=Settings(input_format=AudioFormat(rate_hz=16_000)),
        counters=counters,
    )
    audio: asyncio.Queue[np.ndarray[Any, Any]] = asyncio.Queue()
    heard: asyncio.Future[TurnRecord] = asyncio.get_running_loop().create_future()

    async def speak() -> None:
        for number in range(round((SPEECH_SECONDS + 5.0) / WINDOW_SECONDS)):
            await asyncio.sleep(WINDOW_SECONDS)
            level = 0.5 if number * WINDOW_SECONDS < SPEECH_SECONDS else 0.0
            audio.put_nowait(np.full(WINDOW_SAMPLES, level, np.float32))

    async def commands() -> AsyncIterator[Command]:
        while not heard.done():
            yield AppendAudio(await audio.get())

    async def listen() -> None:
        async for event in session.events():
            if isinstance(event, TurnFinished) and not heard.done():
                heard.set_result(event.record)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(listen())
        speaking = tasks.create_task(speak())
        await session.run(commands())
        speaking.cancel()
    return heard.result(), counters


@pytest.mark.parametrize(("vad_seconds", "late_seconds"), [(0.01, 0.01), (0.048, 1.9)])
def test_a_turn_begins_when_the_caller_had_finished_however_late_that_was_heard(
    vad_seconds: float, late_seconds: float
) -> None:
    @virtual_time
    async def test() -> None:
        record, counters = await speak_on(Stage(vad_seconds=vad_seconds))
        assert record.times[Milestone.SPEECH_END] == pytest.approx(SPEECH_SECONDS, abs=0.05)
        (metric,) = counters.hearing_lag.collect()
        samples = {sample.name.rpartition("_")[2]: sample.value for sample in metric.samples}
        assert samples["count"] == 2  # the speech pauses and ends
        assert samples["sum"] / 2 == pytest.approx(late_seconds, rel=0.1)

    test()


@pytest.mark.parametrize(
    ("vad_seconds", "pause_seconds", "has_partials"), [(0.01, 0.096, True), (0.048, 0.224, False)]
)
def test_work_that_may_be_in_vain_gives_way_where_a_caller_is_heard_late(
    vad_seconds: float, pause_seconds: float, *, has_partials: bool
) -> None:
    @virtual_time
    async def test() -> None:
        stage = Stage(vad_seconds=vad_seconds)
        await speak_on(stage)
        partials = [job for job in stage.stt.jobs if job.priority is Priority.PARTIAL]
        assert bool(partials) is has_partials
        assert bool(stage.prefills) is has_partials
        (final,) = (job.request for job in stage.stt.jobs if job.priority is Priority.ANSWER)
        seconds = len(final.samples) / 16_000 - SPEECH_SECONDS
        assert seconds == pytest.approx(pause_seconds, abs=0.01)

    test()


@pytest.mark.parametrize(("vad_seconds", "is_asked"), [(0.01, True), (0.048, False)])
def test_a_model_of_the_voice_is_not_asked_where_a_caller_is_heard_late(
    vad_seconds: float, *, is_asked: bool
) -> None:
    @virtual_time
    async def test() -> None:
        asked = FakeBatcher("turn end", lambda request: [(0.03, 0.9)])
        await speak_on(Stage(vad_seconds=vad_seconds, turn_end=asked))
        assert bool(asked.jobs) is is_asked

    test()
