"""What a reader gets, what shares a step, and who goes first."""

import asyncio
import contextlib
from collections.abc import Sequence

import pytest

from engines.batcher import Priority
from engines.errors import EngineError
from tests.engines.batcher.counting import (
    Count,
    CountingEngine,
    CountJob,
    busy,
    make_batcher,
    read,
    until,
)


async def test_outputs_arrive_in_order_from_one_thread() -> None:
    engine = CountingEngine()
    async with make_batcher(engine) as batcher:
        assert await read(batcher, Count(100)) == list(range(1, 101))
    assert engine.threads == {"counter"}


async def test_run_returns_the_only_output() -> None:
    async with make_batcher(CountingEngine()) as batcher:
        assert await batcher.run(Count(1)) == 1


class SilentEngine(CountingEngine):
    """Ends its jobs without an output."""

    def step(self, jobs: Sequence[CountJob]) -> None:
        for job in jobs:
            job.finish()


async def test_run_without_an_output_is_an_error() -> None:
    async with make_batcher(SilentEngine()) as batcher:
        with pytest.raises(EngineError, match="without an answer"):
            await batcher.run(Count(1))


async def test_a_batch_is_what_queued_during_the_last_step() -> None:
    engine = CountingEngine()
    async with make_batcher(engine) as batcher:
        async with busy(batcher, engine):
            tasks = [asyncio.create_task(read(batcher, Count(1, name))) for name in "abc"]
            await until(lambda: batcher.pending == 4)
        await asyncio.gather(*tasks)
        assert batcher.batch_sizes == {1: 1, 3: 1}
    assert engine.batches == [("first",), ("a", "b", "c")]


async def test_what_is_submitted_in_one_round_of_the_loop_is_one_batch() -> None:
    async with make_batcher(CountingEngine()) as batcher:
        await asyncio.gather(*(read(batcher, Count(1)) for _ in range(4)))
        assert batcher.batch_sizes == {4: 1}


async def test_what_comes_soon_after_a_hand_over_shares_the_next() -> None:
    engine = CountingEngine()
    async with make_batcher(engine, gather_seconds=0.2) as batcher:
        assert await read(batcher, Count(1, "first")) == [1]  # after a rest nothing waits
        second = asyncio.create_task(read(batcher, Count(1, "second")))
        await asyncio.sleep(0.02)
        assert engine.batches == [("first",)]
        third = asyncio.create_task(read(batcher, Count(1, "third")))
        assert [await second, await third] == [[1], [1]]
    assert engine.batches == [("first",), ("second", "third")]


async def test_the_end_leaves_nothing_behind_that_waits_to_be_handed_over() -> None:
    engine = CountingEngine()
    async with make_batcher(engine, gather_seconds=60.0) as batcher:
        assert await read(batcher, Count(1, "first")) == [1]
        waiting = asyncio.create_task(read(batcher, Count(1, "second")))
        await asyncio.sleep(0)
    with contextlib.suppress(EngineError):  # as any job that is in flight then
        await waiting
    assert waiting.done()


async def test_a_lone_job_waits_for_no_other() -> None:
    engine = CountingEngine(max_batch=64)
    async with make_batcher(engine) as batcher:
        assert await read(batcher, Count(1, "alone")) == [1]
    assert engine.batches == [("alone",)]


async def test_new_jobs_join_between_steps() -> None:
    engine = CountingEngine()
    async with make_batcher(engine) as batcher, batcher.submit(Count(0, "long")) as long:
        assert await anext(long) == 1
        assert await read(batcher, Count(2, "short")) == [1, 2]
    assert ("long", "short") in engine.batches


async def test_the_end_stays_the_end() -> None:
    engine = CountingEngine()
    async with make_batcher(engine) as batcher, batcher.submit(Count(2)) as job:
        assert [output async for output in job] == [1, 2]
        assert [output async for output in job] == []


# Priorities


async def test_the_most_urgent_go_first_and_stand_first_in_the_batch() -> None:
    engine = CountingEngine(max_batch=2)
    async with make_batcher(engine) as batcher:
        async with busy(batcher, engine):
            tasks = [
                asyncio.create_task(read(batcher, Count(1, priority.name), priority))
                for priority in reversed(Priority)
            ]
            await until(lambda: batcher.pending == 6)
        await asyncio.gather(*tasks)
    assert engine.batches[1:] == [
        ("INTERRUPTION", "ANSWER"),
        ("CONTINUATION", "PARTIAL"),
        ("OFFLINE",),
    ]


async def test_equal_priorities_go_in_the_order_of_submission() -> None:
    engine = CountingEngine(max_batch=1)
    async with make_batcher(engine) as batcher:
        async with busy(batcher, engine):
            tasks = [asyncio.create_task(read(batcher, Count(1, name))) for name in "abcd"]
            await until(lambda: batcher.pending == 5)
        await asyncio.gather(*tasks)
    assert engine.batches[1:] == [("a",), ("b",), ("c",), ("d",)]


async def test_an_urgent_job_that_joins_stands_first_even_where_another_is_turned_away() -> None:
    engine = CountingEngine(on_start=lambda job: job.priority != Priority.OFFLINE)
    async with (
        make_batcher(engine) as batcher,
        batcher.submit(Count(0, "slow"), priority=Priority.PARTIAL) as slow,
    ):
        assert await anext(slow) == 1
        async with (
            batcher.submit(Count(1, "offline"), priority=Priority.OFFLINE),
            batcher.submit(Count(1, "urgent"), priority=Priority.INTERRUPTION) as urgent,
        ):
            assert [output async for output in urgent] == [1]
    assert [batch for batch in engine.batches if "urgent" in batch] == [("urgent", "slow")]
