"""Every system in turn at every number of calls, within one run; the table and the plot of it."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from benchmarks.curve import LATEST_MS, MOST_UNDERRUNS
from benchmarks.harness import LoadFailed
from benchmarks.peers.correctness import Judge
from benchmarks.peers.environments import PeerUnavailable
from benchmarks.peers.systems import STARTER, SYSTEMS, Running, Workshop
from benchmarks.results import LoadResult, column, percentiles
from benchmarks.usage import usage_of_all
from evaluation.server_process import REPOSITORY, ServerFailed
from evaluation.tables import markdown

LEVELS = (1, 2, 4, 8, 16)
OURS = "Tinig"
MOST_LATE = 0.05  # of the turns: P95, an answer that never came counting as late
FREE_SECONDS = 10.0  # speech-to-speech refuses calls until it has cleared up after the last ones
OVERLOADED = 0.5  # of the turns answered late


@dataclass(frozen=True, slots=True)
class Measured:
    """One system with so many calls."""

    system: str
    result: LoadResult
    right: int  # of the answers, word for word
    cpu_seconds: float
    resident_mb: float

    @property
    def calls(self) -> int:
        """At once."""
        return self.result.calls

    @property
    def late_share(self) -> float:
        """Of the turns, those answered late or not at all."""
        waits = [one.voice_to_voice_ms for one in self.result.exchanges]
        late = sum(ms is None or ms > LATEST_MS for ms in waits)
        return late / len(waits) if waits else 1.0

    @property
    def is_held(self) -> bool:
        """Whether every goal was met."""
        is_in_time = self.late_share <= MOST_LATE and not self.result.failures
        return is_in_time and self.result.underrun_share <= MOST_UNDERRUNS

    def to_json(self) -> dict[str, Any]:
        """The figures of the row."""
        turns = self.result.exchanges
        voice = percentiles(one.voice_to_voice_ms for one in turns)
        problems = [f"{one.problem}: {one.said}" for one in turns if one.problem]
        return {
            "system": self.system,
            "calls": self.calls,
            "turns": len(turns),
            "voice_to_voice_ms": [voice.p50, voice.p95, voice.p99] if voice else None,
            "underrun_share": self.result.underrun_share,
            "right": self.right,
            "cores": self.cpu_seconds / self.result.seconds,
            "resident_mb": self.resident_mb,
            "problems": [*problems, *self.result.failures],
            "held": self.is_held,
            "generator_is_bottleneck": self.result.is_bottleneck,
        }


def measure(
    workshop: Workshop,
    *,
    systems: Sequence[str],
    levels: Sequence[int],
    seconds: float,
    on_measured: Callable[[Measured], None],
    on_failure: Callable[[str, str], None],
) -> list[Measured]:
    """At each level all systems one after the other, so that the machine's moods hit all alike.

    A system that answers half of the turns late is not asked for more calls. One that cannot run
    is told to `on_failure` with the reason, and left out from then on.
    """
    judge = Judge(STARTER / "stt")
    measured, running = [], list(systems)
    for calls in levels:
        for name in tuple(running):
            workshop.on_step(f"{name}, {calls} calls")
            try:
                measured.append(_measured(name, calls, seconds, workshop, judge))
            except (PeerUnavailable, ServerFailed, LoadFailed) as failure:
                running.remove(name)
                on_failure(name, str(failure))
                continue
            on_measured(measured[-1])
            if measured[-1].late_share >= OVERLOADED:
                running.remove(name)
    return measured


def _measured(name: str, calls: int, seconds: float, workshop: Workshop, judge: Judge) -> Measured:
    recordings = workshop.output / "recordings" / f"{name}-{calls}"
    with SYSTEMS[name](calls, workshop) as running:
        _load(running, recordings, f"--calls={calls}", "--turns=1", "--ramp=1")  # to be warm
        time.sleep(FREE_SECONDS)
        before = usage_of_all(running.pids)
        longer = 2 if calls == 1 else 1  # a lone caller makes few turns
        result = _load(running, recordings, f"--calls={calls}", f"--seconds={longer * seconds}")
        after = usage_of_all(running.pids)
    right = sum(
        judge.is_right(one, recordings / f"{one.call}-{one.turn}.wav") for one in result.answered
    )
    return Measured(name, result, right, after.cpu_seconds - before.cpu_seconds, after.resident_mb)


def _load(running: Running, recordings: Path, *arguments: str) -> LoadResult:
    command = [sys.executable, "-m", "benchmarks.peers.load", running.wire, *running.urls]
    process = subprocess.run(
        [*command, f"--recordings={recordings}", *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if process.returncode:
        raise LoadFailed(f"the load generator ended with {process.returncode}: {process.stderr}")
    return LoadResult.from_json(json.loads(process.stdout))


def table(measured: Sequence[Measured]) -> str:
    """Markdown: a row a system and level, each beside ours at the same level."""
    ours = {one.calls: one for one in measured if one.system == OURS}
    head = [
        "system",
        "calls",
        "turns",
        "voice to voice, P50 / P95 ms",
        "times Tinig's",
        "answered",
        "of these right",
        "underruns",
        "cores",
        "MB",
        "held",
    ]
    return markdown(head, [_row(one, ours.get(one.calls)) for one in measured])


def line(one: Measured) -> str:
    """In a few words, while others are measured."""
    voice = column(one.result.exchanges, lambda turn: turn.voice_to_voice_ms)
    answered = len(one.result.answered)
    return f"{voice} ms; {one.right} of {answered} right, {len(one.result.exchanges)} turns"


def _row(one: Measured, ours: Measured | None) -> list[str]:
    turns, answered = one.result.exchanges, one.result.answered
    return [
        one.system,
        str(one.calls),
        str(len(turns)),
        column(turns, lambda turn: turn.voice_to_voice_ms),
        times(one.result, ours.result) if ours else "-",
        f"{len(answered) / len(turns):.0%}" if turns else "-",
        f"{one.right / len(answered):.0%}" if answered else "-",
        f"{one.result.underrun_share:.2%}",
        f"{one.cpu_seconds / one.result.seconds:.2f}",
        f"{one.resident_mb:.0f}",
        "yes" if one.is_held else "no",
    ]


def times(result: LoadResult, ours: LoadResult) -> str:
    """How many times our voice to voice another's is, P50 and P95."""
    theirs = percentiles(one.voice_to_voice_ms for one in result.exchanges)
    own = percentiles(one.voice_to_voice_ms for one in ours.exchanges)
    if theirs is None or own is None:
        return "-"
    return f"{theirs.p50 / own.p50:.1f} / {theirs.p95 / own.p95:.1f}"


def plot(measured: Sequence[Measured], path: Path) -> None:
    """P95 over calls, a line a system, as SVG."""
    figure = Figure(figsize=(7, 4))
    axes = figure.subplots()
    for system, points in by_system(measured).items():
        found = [
            (one.calls, percentiles(turn.voice_to_voice_ms for turn in one.result.exchanges))
            for one in points
        ]
        line = [(calls, figures.p95) for calls, figures in found if figures]
        axes.plot([calls for calls, _ in line], [p95 for _, p95 in line], marker="o", label=system)
    axes.axhline(LATEST_MS, linestyle=":", color="grey")
    axes.set_xscale("log", base=2)
    axes.set_xlabel("calls at once")
    axes.set_ylabel("voice to voice, P95 ms")
    axes.legend()
    figure.savefig(path)


def by_system(measured: Sequence[Measured]) -> Mapping[str, list[Measured]]:
    """The measurements of each, in the order in which they were made."""
    found: dict[str, list[Measured]] = {}
    for one in measured:
        found.setdefault(one.system, []).append(one)
    return found
