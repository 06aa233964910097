"""Callers at random: every started job is stopped once."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from engines.batcher import Batcher, Priority
from engines.errors import EngineError
from tests.engines.batcher.counting import (
    Count,
    CountingEngine,
    CountJob,
    make_batcher,
    until,
)


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
