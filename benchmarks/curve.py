"""More and more callers, until answers come too late or stutter."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.harness import Loaded, load, server, server_usage
from benchmarks.results import Percentiles, column, percentiles
from evaluation.report.model import Lines, Plot
from evaluation.server_process import RunningServer
from evaluation.tables import markdown

LEVELS = (1, 2, 4, 8, 16, 32, 50, 64, 80, 100, 128)
LATEST_MS = 1800.0  # of voice to voice
MOST_LATE = 0.05  # of the turns: P95, an answer that never came counting as late
MOST_UNDERRUNS = 0.001  # of the time of the answers


@dataclass(frozen=True, slots=True)
class Point:
    """What so many callers at once found."""

    loaded: Loaded
    idle_mb: float  # of the server before the first call

    @property
    def calls(self) -> int:
        """Callers at once."""
        return self.loaded.result.calls

    @property
    def is_held(self) -> bool:
        """In time, without gaps, and no call lost."""
        result = self.loaded.result
        is_in_time = result.share_later_than(LATEST_MS) <= MOST_LATE and not result.failures
        return is_in_time and result.underrun_share <= MOST_UNDERRUNS

    @property
    def voice_to_voice(self) -> Percentiles | None:
        """From the end of the caller's speech to the first sound of the answer, at the caller."""
        return percentiles(one.voice_to_voice_ms for one in self.loaded.result.exchanges)

    @property
    def problems(self) -> dict[str, int]:
        """What went wrong with turns and calls, and how often."""
        result = self.loaded.result
        counted = Counter(one.problem for one in result.exchanges if one.problem)
        return dict(counted + Counter(result.failures))

    @property
    def other_cores(self) -> float:
        """What neither the server nor the callers took of the machine."""
        return self.loaded.other_cpu_seconds / self.loaded.result.seconds

    @property
    def core_share(self) -> float:
        """Of one core, that the server took."""
        return self.loaded.server_cpu_seconds / self.loaded.result.seconds

    @property
    def megabytes_per_call(self) -> float:
        """Of memory, over what the server had before."""
        return (self.loaded.server_resident_mb - self.idle_mb) / self.calls

    def row(self) -> list[str]:
        """For the table."""
        result = self.loaded.result
        return [
            str(self.calls),
            str(len(result.exchanges)),
            self.voice_to_voice.all() if self.voice_to_voice else "-",
            column(result.exchanges, lambda one: one.added_ms),
            f"{result.underrun_share:.2%}",
            f"{result.share_of_drafts():.0%}",
            f"{self.core_share:.2f}",
            f"{self.megabytes_per_call:.1f}",
            " ".join(f"{size:.1f}" for size in self.loaded.jobs_per_step.values()),
            str(sum(self.problems.values())),
            f"{result.cpu_seconds / result.seconds:.2f}{'!' if result.is_bottleneck else ''}",
            f"{self.other_cores:.2f}",
        ]

    def to_json(self) -> dict[str, Any]:
        """The figures of the row."""
        voice = self.voice_to_voice
        added = percentiles(one.added_ms for one in self.loaded.result.exchanges)
        return {
            "calls": self.calls,
            "turns": len(self.loaded.result.exchanges),
            "voice_to_voice_ms": [voice.p50, voice.p95, voice.p99] if voice else None,
            "added_ms": [added.p50, added.p95, added.p99] if added else None,
            "underrun_share": self.loaded.result.underrun_share,
            "draft_share": self.loaded.result.share_of_drafts(),
            "server_cores": self.core_share,
            "megabytes_per_call": self.megabytes_per_call,
            "jobs_per_step": dict(self.loaded.jobs_per_step),
            "problems": self.problems,
            "generator_cores": self.loaded.result.cpu_seconds / self.loaded.result.seconds,
            "generator_is_bottleneck": self.loaded.result.is_bottleneck,
            "other_cores": self.other_cores,
            "is_held": self.is_held,
        }


def measure(
    output: Path,
    *,
    levels: Sequence[int] = LEVELS,
    seconds: float = 40.0,
    arguments: Sequence[str] = (),
    callers: Sequence[str] = (),
    on_level: Callable[[int], None] = lambda calls: None,
) -> list[Point]:
    """A run at every level, up to the first that is not held; a fresh server for each.

    `arguments` are the server's, `callers` the load generator's.
    """
    points: list[Point] = []
    for calls in levels:
        on_level(calls)
        with server(output, arguments=arguments) as running:
            points.append(_point(running, calls, seconds, callers))
        if not points[-1].is_held:
            break
    return points


def _point(running: RunningServer, calls: int, seconds: float, callers: Sequence[str]) -> Point:
    idle_mb = server_usage(running).resident_mb
    return Point(load(running, f"--calls={calls}", f"--seconds={seconds}", *callers), idle_mb)


def table(points: Sequence[Point]) -> str:
    """Markdown: a row a level."""
    head = [
        "calls",
        "turns",
        "voice to voice, P50 / P95 / P99 ms",
        "added, P50 / P95 ms",
        "underruns",
        "drafts used",
        "server, cores",
        "MB a call",
        "jobs a step: VAD STT LLM TTS",
        "problems",
        "generator, cores",
        "others, cores",
    ]
    return markdown(head, [point.row() for point in points])


def plots(points: Sequence[Point]) -> dict[str, Plot]:
    """Latency and CPU by the number of callers."""
    heard = [(point.calls, point.voice_to_voice) for point in points]
    latency = {
        name: [(calls, float(getattr(voice, name.lower()))) for calls, voice in heard if voice]
        for name in ("P50", "P95", "P99")
    }
    cores = {
        "server": [(point.calls, point.core_share) for point in points],
        "callers": [
            (point.calls, point.loaded.result.cpu_seconds / point.loaded.result.seconds)
            for point in points
        ],
    }
    return {
        "voice to voice": Lines(
            "Voice to voice by callers", "callers at once", "ms", latency, LATEST_MS
        ),
        "CPU": Lines("CPU by callers", "callers at once", "cores", cores),
    }
