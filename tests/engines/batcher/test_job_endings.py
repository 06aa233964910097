"""A reader who leaves, and what goes wrong with one job, one batch, one line."""

import asyncio
from collections.abc import Sequence

import pytest

from engines.errors import EngineError, Overloaded
from tests.engines.batcher.counting import (
    Count,
    CountingEngine,
    CountJob,
    busy,
    make_batcher,
    raise_,
    read,
    until,
)

# Cancellation


async def test_a_job_cancelled_while_waiting_is_never_started() -> None:
    engine = CountingEngine(max_batch=1)
    async with make_batcher(engine) as batcher:
        async with busy(batcher, engine):
            async with batcher.submit(Count(1, "dropped")) as job:
                pass
            assert [output async for output in job] == []
        await until(lambda: batcher.pending == 0)
    assert [job.request.name for job in engine.started] == ["first"]


async def test_a_running_job_stops_when_its_reader_leaves() -> None:
    engine = CountingEngine()
    async with make_batcher(engine) as batcher:
        async with batcher.submit(Count(0)) as job:
            assert await anext(job) == 1
        await until(lambda: batcher.pending == 0)
        assert engine.stopped == [job]


async def test_a_running_job_stops_when_its_reading_task_is_cancelled() -> None:
    engine = CountingEngine()
    async with make_batcher(engine) as batcher:
        task = asyncio.create_task(read(batcher, Count(0)))
        await until(lambda: len(engine.batches) > 3)
        task.cancel()
        await asyncio.wait([task])
        await until(lambda: batcher.pending == 0)
    assert task.cancelled()
    assert len(engine.stopped) == 1


async def test_a_cancelled_job_gives_its_reader_nothing_more() -> None:
    engine = CountingEngine()
    async with make_batcher(engine) as batcher, batcher.submit(Count(0)) as job:
        assert await anext(job) == 1
        await until(lambda: len(engine.batches) > 3)  # there is more
        job.cancel()
        assert [output async for output in job] == []


async def test_a_reader_who_waits_is_told_of_the_cancellation() -> None:
    engine = CountingEngine()
    async with (
        make_batcher(engine) as batcher,
        busy(batcher, engine),
        batcher.submit(Count(0)) as job,
    ):
        reader = asyncio.create_task(anext(job, -1))
        await asyncio.sleep(0)
        job.cancel()
        assert await reader == -1


# Failures


async def test_a_job_that_nobody_reads_runs_to_its_end() -> None:
    engine = CountingEngine()
    async with make_batcher(engine) as batcher:
        async with busy(batcher, engine):
            batcher.post(Count(3, "posted"))
        await until(lambda: not batcher.pending)
        assert [job.request.name for job in engine.stopped] == ["first", "posted"]
        assert engine.batches.count(("posted",)) == 3


async def test_a_refused_job_fails_alone_and_holds_no_slot() -> None:
    engine = CountingEngine()
    async with make_batcher(engine) as batcher:
        engine.on_start = lambda job: True if job.request.name != "bad" else 1 / 0 > 0
        good, bad = await asyncio.gather(
            read(batcher, Count(2, "good")), read(batcher, Count(2, "bad")), return_exceptions=True
        )
        assert good == [1, 2]
        assert isinstance(bad, EngineError)
        assert isinstance(bad.__cause__, ZeroDivisionError)
    assert [job.request.name for job in engine.stopped] == ["good"]


async def test_who_is_refused_does_not_wait_for_the_step_of_the_others() -> None:
    engine = CountingEngine()
    async with make_batcher(engine) as batcher:
        engine.on_start = lambda job: True if job.request.name != "bad" else 1 / 0 > 0
        engine.gate.clear()
        good = asyncio.create_task(read(batcher, Count(1, "good")))
        with pytest.raises(EngineError):
            await read(batcher, Count(1, "bad"))
        engine.gate.set()
        assert await good == [1]


async def test_an_engine_error_reaches_the_reader_as_it_is() -> None:
    engine = CountingEngine(on_start=raise_(EngineError("No such voice.")))
    async with make_batcher(engine) as batcher:
        with pytest.raises(EngineError, match=r"^No such voice\.$"):
            await read(batcher, Count(1))


async def test_a_job_turned_away_is_asked_again_after_the_next_step() -> None:
    engine = CountingEngine()
    async with make_batcher(engine) as batcher, batcher.submit(Count(3, "long")) as long:
        assert await anext(long) == 1
        engine.on_start = lambda job: len(engine.started) == len(engine.stopped)
        assert await read(batcher, Count(1, "patient")) == [1]
    assert engine.batches[-1] == ("patient",)


async def test_a_job_that_an_idle_engine_turns_away_is_overloaded() -> None:
    async with make_batcher(CountingEngine(on_start=lambda job: False)) as batcher:
        with pytest.raises(Overloaded):
            await read(batcher, Count(1))


async def test_a_step_that_raises_fails_its_batch_and_no_other() -> None:
    engine = CountingEngine(on_step=raise_(RuntimeError("out of memory")))
    async with make_batcher(engine) as batcher:
        with pytest.raises(EngineError, match="out of memory"):
            await read(batcher, Count(1))
        engine.on_step = lambda jobs: None
        assert await read(batcher, Count(2)) == [1, 2]
        assert batcher.failure is None
    assert len(engine.stopped) == 2


async def test_one_job_can_fail_without_its_batch() -> None:
    def fail_bad(jobs: Sequence[CountJob]) -> None:
        for job in jobs:
            if job.request.name == "bad":
                job.fail(EngineError("unreadable"))

    engine = CountingEngine(on_step=fail_bad)
    async with make_batcher(engine) as batcher:
        async with batcher.submit(Count(5, "bad")) as bad:
            good = asyncio.create_task(read(batcher, Count(3, "good")))
            assert await anext(bad) == 1
            for _ in range(2):  # the end stays the end
                with pytest.raises(EngineError, match="unreadable"):
                    await anext(bad)
        assert await good == [1, 2, 3]


async def test_a_full_line_is_said_at_once() -> None:
    engine = CountingEngine(max_batch=1)
    async with make_batcher(engine, max_pending=2) as batcher:
        async with busy(batcher, engine), batcher.submit(Count(1)):
            with pytest.raises(Overloaded, match="2 jobs waiting"):
                await read(batcher, Count(1))
        await until(lambda: batcher.pending == 0)
        assert await read(batcher, Count(1)) == [1]


async def test_the_defect_behind_one_failed_job_is_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    defect = ZeroDivisionError("a bug")

    def fail_all(jobs: Sequence[CountJob]) -> None:
        for job in jobs:
            job.fail(defect)

    async with make_batcher(CountingEngine(on_step=fail_all)) as batcher:
        with pytest.raises(EngineError, match="a bug"):
            await read(batcher, Count(3))
    (told,) = (record for record in caplog.records if record.exc_info)
    assert told.exc_info is not None
    assert told.exc_info[1] is defect
