"""An engine with scripted steps, and what a test does with a batcher around it."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from engines.batcher import Batcher, Job, Priority


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
