"""The virtual clock: time jumps when all wait, stands still while threads work."""

import asyncio
import threading
import time
from collections.abc import Sequence

import pytest

from engines.batcher import Batcher, Job
from tests.virtual import VirtualLoop, run_virtually, virtual_time


@virtual_time
async def test_timers_fire_in_order_and_take_no_real_time() -> None:
    loop = asyncio.get_running_loop()
    woken: list[float] = []

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(seconds)
        woken.append(loop.time())

    started_at = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for seconds in (30.0, 10.0, 3600.0, 20.0):
            group.create_task(sleep(seconds))
    assert woken == pytest.approx([10.0, 20.0, 30.0, 3600.0])
    assert time.monotonic() - started_at < 60


@virtual_time
async def test_timeouts_expire_in_virtual_time() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1000):
            await asyncio.Event().wait()
    assert asyncio.get_running_loop().time() == pytest.approx(1000)


@virtual_time
async def test_clock_stands_still_while_a_thread_of_the_executor_works() -> None:
    loop = asyncio.get_running_loop()
    release = threading.Event()
    ticks: list[float] = []

    async def tick() -> None:
        await asyncio.sleep(5)
        ticks.append(loop.time())

    async with asyncio.TaskGroup() as group:
        group.create_task(tick())
        threading.Timer(0.05, release.set).start()
        await asyncio.to_thread(release.wait)
        assert ticks == []
        assert loop.time() == 0.0
    assert ticks == pytest.approx([5.0])


@virtual_time
async def test_clock_stands_still_for_what_it_was_told_to_wait_for() -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    answered = asyncio.Event()
    loop.hold_while(lambda: not answered.is_set())
    threading.Timer(0.05, loop.call_soon_threadsafe, (answered.set,)).start()
    async with asyncio.timeout(1):
        await answered.wait()
    assert loop.time() == 0.0


class SlowEngine:
    """Takes real time over every job, none of it virtual."""

    max_batch = 1

    def load(self) -> None:
        """Nothing to load."""

    def start(self, job: Job[str, str]) -> bool:
        return True

    def step(self, jobs: Sequence[Job[str, str]]) -> None:
        time.sleep(0.02)
        for job in jobs:
            job.emit(job.request)
            job.finish()

    def stop(self, job: Job[str, str]) -> None:
        """No slots."""

    def assert_idle(self) -> None:
        """No slots."""


@virtual_time
async def test_an_engine_takes_no_virtual_time() -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    async with Batcher[str, str]("slow", SlowEngine()) as batcher:
        loop.hold_while(lambda: batcher.pending > 0)
        async with asyncio.timeout(0.1):
            answers = [await batcher.run(word) for word in ("one", "two", "three")]
        assert answers == ["one", "two", "three"]
        await asyncio.sleep(60)
        assert loop.time() == pytest.approx(60)


def test_waiting_for_nothing_is_a_deadlock() -> None:
    loop = VirtualLoop(patience_seconds=0.01)
    forever = asyncio.Event().wait()
    with pytest.raises(RuntimeError, match="Deadlock"):
        loop.run_until_complete(forever)
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()


def test_result_is_returned() -> None:
    async def answer() -> int:
        await asyncio.sleep(10)
        return 42

    assert run_virtually(answer()) == 42
