"""The batcher on engines with scripted steps."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.batcher import Batcher, Job, Priority
from engines.errors import EngineError, ModelError, Overloaded


@dataclass(frozen=True, slots=True)
class Count:
    """Emits 1, 2, ... `steps`, one a step. Steps of 0 never end."""

    steps: int
    name: str = ""


CountJob = Job[Count, int]


@dataclass
class CountingEngine:
    """Records what the batcher asks of it. Its steps wait for `gate`, which tests may close."""

    max_batch: int = 4
    on_load: Callable[[], None] = lambda: None
    on_start: Callable[[CountJob], bool] = lambda job: True
    on_step: Callable[[Sequence[CountJob]], None] = lambda jobs: None
    on_stop: Callable[[CountJob], None] = lambda job: None
    on_idle: Callable[[], None] = lambda: None
    started: list[CountJob] = field(default_factory=list)
    stopped: list[CountJob] = field(default_factory=list)
    batches: list[tuple[str, ...]] = field(default_factory=list)
    threads: set[str] = field(default_factory=set)
    times_idle: int = 0

    def __post_init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.in_step = threading.Event()

    def load(self) -> None:
        self.threads.add(threading.current_thread().name)
        self.on_load()

    def start(self, job: CountJob) -> bool:
        if not self.on_start(job):
            return False
        self.started.append(job)
        job.state = 0
        return True

    def step(self, jobs: Sequence[CountJob]) -> None:
        self.threads.add(threading.current_thread().name)
        self.batches.append(tuple(job.request.name for job in jobs))
        self.in_step.set()
        self.gate.wait()
        self.on_step(jobs)
        for job in jobs:
            job.state += 1
            job.emit(job.state)
            if job.state == job.request.steps:
                job.finish()

    def stop(self, job: CountJob) -> None:
        self.stopped.append(job)
        self.on_stop(job)

    def assert_idle(self) -> None:
        self.times_idle += 1
        assert len(self.started) == len(self.stopped)
        self.on_idle()


def make_batcher(engine: CountingEngine, **options: Any) -> Batcher[Count, int]:
    return Batcher("counter", engine, **options)


async def read(
    batcher: Batcher[Count, int], request: Count, priority: Priority = Priority.ANSWER
) -> list[int]:
    async with batcher.submit(request, priority=priority) as job:
        return [output async for output in job]


@asynccontextmanager
async def busy(batcher: Batcher[Count, int], engine: CountingEngine) -> AsyncIterator[None]:
    """A block during which the engine is in the middle of a step of one job of a single step."""
    engine.gate.clear()
    engine.in_step.clear()
    async with asyncio.TaskGroup() as group:
        group.create_task(read(batcher, Count(1, "first")))
        await asyncio.to_thread(engine.in_step.wait)
        try:
            yield
        finally:
            engine.gate.set()


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop turn until the thread has brought this about."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  (a thread brings it about: there is no event)
            await asyncio.sleep(0.001)


def raise_(error: BaseException) -> Callable[..., Any]:
    def fail(*arguments: object) -> Any:
        raise error

    return fail


# Outputs and batches


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
    async with make_batcher(CountingEngine()) as batcher, batcher.submit(Count(0)) as job:
        assert await anext(job) == 1
        reader = asyncio.create_task(anext(job, -1))
        job.cancel()
        assert [output async for output in job] == []
        await reader


# What goes wrong with one job, one batch, one line


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


# Start, idleness, death, shutdown


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


# Any schedule


@dataclass(frozen=True, slots=True)
class Visit:
    """A caller who reads `reads` outputs of a job of `steps` steps, after `turns` of the loop."""

    steps: int
    reads: int
    turns: int
    priority: Priority
    fate: str


VISITS = st.lists(
    st.builds(
        Visit,
        steps=st.integers(1, 6),
        reads=st.integers(0, 8),
        turns=st.integers(0, 5),
        priority=st.sampled_from(Priority),
        fate=st.sampled_from(["ends", "ends", "ends", "refused", "turned away", "breaks"]),
    ),
    max_size=12,
)


async def visit(batcher: Batcher[Count, int], plan: Visit) -> None:
    for _ in range(plan.turns):
        await asyncio.sleep(0)
    outputs: list[int] = []
    try:
        request = Count(plan.steps, plan.fate)
        async with batcher.submit(request, priority=plan.priority) as job:
            while len(outputs) < plan.reads:
                outputs.append(await anext(job))
    except StopAsyncIteration:
        assert len(outputs) == plan.steps
    except EngineError:
        assert len(outputs) <= plan.steps
    assert outputs == list(range(1, len(outputs) + 1))


def unruly_engine(max_batch: int) -> CountingEngine:
    """Refuses, turns away and breaks as the jobs' names say."""
    engine = CountingEngine(max_batch=max_batch)

    def start(job: CountJob) -> bool:
        if job.request.name == "refused":
            raise EngineError("refused")
        return job.request.name != "turned away" or len(engine.started) == len(engine.stopped)

    def step(jobs: Sequence[CountJob]) -> None:
        if any(job.request.name == "breaks" and job.state == 1 for job in jobs):
            raise RuntimeError("broken")

    engine.on_start, engine.on_step = start, step
    return engine


@settings(max_examples=60, deadline=None)
@given(visits=VISITS, max_batch=st.integers(1, 4))
def test_in_any_schedule_every_started_job_is_stopped_once(
    visits: list[Visit], max_batch: int
) -> None:
    engine = unruly_engine(max_batch)

    async def converse() -> Batcher[Count, int]:
        async with make_batcher(engine) as batcher:
            async with asyncio.TaskGroup() as group:
                for plan in visits:
                    group.create_task(visit(batcher, plan))
            await until(lambda: batcher.pending == 0)
        return batcher

    batcher = asyncio.run(converse())
    assert batcher.failure is None
    assert sorted(map(id, engine.started)) == sorted(map(id, engine.stopped))
    assert all(len(batch) <= max_batch for batch in engine.batches)
