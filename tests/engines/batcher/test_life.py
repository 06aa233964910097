"""The thread: start, idleness, death, shutdown."""

import asyncio
import threading

import pytest

from engines.errors import EngineError, ModelError
from tests.engines.batcher.counting import (
    Count,
    CountingEngine,
    make_batcher,
    raise_,
    read,
    until,
)


async def test_what_load_raises_is_raised_by_the_start() -> None:
    with pytest.raises(ModelError, match=r"model\.bin is missing"):
        async with make_batcher(CountingEngine(on_load=raise_(ModelError("model.bin is missing")))):
            pytest.fail("it started")


async def test_a_load_that_exits_does_not_hang_the_start() -> None:
    with pytest.raises(EngineError, match="SystemExit"):
        async with make_batcher(CountingEngine(on_load=raise_(SystemExit(1)))):
            pytest.fail("it started")


async def test_a_start_cancelled_while_loading_leaves_no_thread() -> None:
    release = threading.Event()

    def load() -> None:
        release.wait()

    batcher = make_batcher(CountingEngine(on_load=load))
    start = asyncio.create_task(batcher.__aenter__())
    await until(lambda: any(thread.name == "counter" for thread in threading.enumerate()))
    start.cancel()
    await asyncio.wait([start])
    release.set()
    await until(lambda: all(thread.name != "counter" for thread in threading.enumerate()))
    assert start.cancelled()


async def test_when_idle_it_checks_that_every_slot_is_free() -> None:
    engine = CountingEngine()
    async with make_batcher(engine) as batcher:
        await read(batcher, Count(3))
        await until(lambda: engine.times_idle == 1)


@pytest.mark.parametrize(
    "broken",
    [
        CountingEngine(on_idle=raise_(AssertionError("a slot leaked"))),
        CountingEngine(on_step=raise_(SystemExit("a slot leaked"))),
        CountingEngine(on_stop=raise_(RuntimeError("a slot leaked"))),
    ],
    ids=["assert_idle", "step", "stop"],
)
async def test_a_thread_that_dies_is_noticed_by_all(
    broken: CountingEngine, caplog: pytest.LogCaptureFixture
) -> None:
    deaths: list[BaseException] = []
    async with make_batcher(broken, on_death=deaths.append) as batcher:
        broken.gate.clear()
        readers = [asyncio.create_task(read(batcher, Count(1))) for _ in range(6)]
        await until(lambda: batcher.pending == 6)
        broken.gate.set()
        outcomes = await asyncio.gather(*readers, return_exceptions=True)
        await until(lambda: batcher.failure is not None)
        assert all(outcome == [1] or isinstance(outcome, EngineError) for outcome in outcomes)
        assert batcher.pending == 0
        assert deaths == [batcher.failure]
        with pytest.raises(EngineError, match="not running"):
            await read(batcher, Count(1))
    assert "a slot leaked" in caplog.text


async def test_jobs_in_flight_at_shutdown_end_with_an_error() -> None:
    engine = CountingEngine(max_batch=2)
    async with make_batcher(engine) as batcher:
        readers = [asyncio.create_task(read(batcher, Count(0))) for _ in range(4)]
        await until(lambda: ("", "") in engine.batches)
    for reader in readers:
        with pytest.raises(EngineError, match="shutting down"):
            await reader
    assert len(engine.started) == len(engine.stopped) == 2
    assert batcher.pending == 0
    with pytest.raises(EngineError, match="not running"):
        await read(batcher, Count(1))
