"""Every system in turn at every number of calls, within one run."""

import math
from collections.abc import Callable, Sequence

from benchmarks.harness import LoadFailed, begin_callers
from benchmarks.peers.correctness import Judge
from benchmarks.peers.environments import PeerUnavailable
from benchmarks.peers.measured import Measured
from benchmarks.peers.systems import STARTER, SYSTEMS, Workshop
from benchmarks.usage import machine_cpu_seconds, usage_of_all
from evaluation.server_process import ServerFailed

LEVELS = (1, 2, 4, 8, 16, 32, 50, 64)
LEAST_TURNS = 3  # of a call


def measure(
    workshop: Workshop,
    *,
    systems: Sequence[str],
    levels: Sequence[int],
    turns: int,
    on_measured: Callable[[Measured], None],
    on_failure: Callable[[str, str], None],
) -> list[Measured]:
    """At each level all systems one after the other, so that the machine's moods hit all alike.

    `turns` are those of a level, at least: all callers' together. A system that does not hold a
    level is not asked for more calls. One that cannot run is told to `on_failure` with the reason,
    and left out from then on.
    """
    judge = Judge(STARTER / "stt")
    measured, running = [], list(systems)
    for calls in levels:
        for name in tuple(running):
            workshop.on_step(f"{name}, {calls} calls")
            try:
                measured.append(_undisturbed(name, calls, turns, workshop, judge))
            except (PeerUnavailable, ServerFailed, LoadFailed) as failure:
                running.remove(name)
                on_failure(name, str(failure))
                continue
            on_measured(measured[-1])
            if not measured[-1].is_held:
                running.remove(name)
    return measured


def _undisturbed(name: str, calls: int, turns: int, workshop: Workshop, judge: Judge) -> Measured:
    """Measured again, once, when the callers were late themselves: the machine then stood still."""
    first = _measured(name, calls, turns, workshop, judge)
    if not first.result.is_bottleneck:
        return first
    workshop.on_step(f"{name}, {calls} calls again: the callers were late")
    return _measured(name, calls, turns, workshop, judge)


def _measured(name: str, calls: int, turns: int, workshop: Workshop, judge: Judge) -> Measured:
    recordings = workshop.output / "recordings" / f"{name}-{calls}"
    turns_a_call = max(LEAST_TURNS, math.ceil(turns / calls))
    with SYSTEMS[name](calls, workshop) as running:
        before, machine_before = usage_of_all(running.pids), machine_cpu_seconds()
        result = begin_callers(
            "benchmarks.peers.load",
            running.wire,
            *running.urls,
            f"--calls={calls}",
            f"--turns={turns_a_call}",
            f"--recordings={recordings}",
        ).result()
        after, machine_after = usage_of_all(running.pids), machine_cpu_seconds()
    right = sum(
        judge.is_right(one, recordings / f"{one.call}-{one.turn}.wav") for one in result.answered
    )
    cpu_seconds = after.cpu_seconds - before.cpu_seconds
    others = machine_after - machine_before - cpu_seconds - result.cpu_seconds
    return Measured(name, result, right, cpu_seconds, after.resident_mb, max(0.0, others))
