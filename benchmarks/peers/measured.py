"""One system with so many calls: what was measured, and when it counts as held."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.curve import LATEST_MS, MOST_LATE, MOST_UNDERRUNS
from benchmarks.results import LoadResult, Percentiles, percentiles

LEAST_RIGHT = 0.8  # of the turns; the starter recognizer errs, in the systems and as the judge


@dataclass(frozen=True, slots=True)
class Measured:
    """One system with so many calls at once."""

    system: str
    result: LoadResult
    right: int  # turns that were answered rightly
    cpu_seconds: float
    resident_mb: float
    other_cpu_seconds: float = 0.0  # of the machine: neither the system's nor the callers'

    @property
    def calls(self) -> int:
        """At once."""
        return self.result.calls

    @property
    def voice_to_voice(self) -> Percentiles | None:
        """From the end of the caller's words to the first sound of the answer, of what came."""
        return percentiles(one.voice_to_voice_ms for one in self.result.exchanges)

    @property
    def cores(self) -> float:
        """That the system kept busy."""
        return self.cpu_seconds / self.result.seconds

    @property
    def other_cores(self) -> float:
        """What neither the system nor the callers took of the machine."""
        return self.other_cpu_seconds / self.result.seconds

    @property
    def late_share(self) -> float:
        """Of the turns, those answered late or not at all."""
        return self.result.share_later_than(LATEST_MS)

    @property
    def right_share(self) -> float:
        """Of the turns, those answered rightly."""
        turns = self.result.exchanges
        return self.right / len(turns) if turns else 0.0

    @property
    def is_held(self) -> bool:
        """In time, rightly, without gaps, and no call lost."""
        is_in_time = self.late_share <= MOST_LATE and not self.result.failures
        is_whole = self.result.underrun_share <= MOST_UNDERRUNS
        return is_in_time and is_whole and self.right_share >= LEAST_RIGHT

    def to_json(self) -> dict[str, Any]:
        """The figures of the row."""
        voice, turns = self.voice_to_voice, self.result.exchanges
        problems = [f"{one.problem}: {one.said}" for one in turns if one.problem]
        return {
            "system": self.system,
            "calls": self.calls,
            "turns": len(turns),
            "voice_to_voice_ms": [voice.p50, voice.p95, voice.p99] if voice else None,
            "late_share": self.late_share,
            "underrun_share": self.result.underrun_share,
            "right": self.right,
            "cores": self.cores,
            "resident_mb": self.resident_mb,
            "other_cores": self.other_cores,
            "problems": [*problems, *self.result.failures],
            "held": self.is_held,
            "generator_is_bottleneck": self.result.is_bottleneck,
        }


def by_system(measured: Sequence[Measured]) -> Mapping[str, list[Measured]]:
    """The measurements of each, in the order in which they were made."""
    found: dict[str, list[Measured]] = {}
    for one in measured:
        found.setdefault(one.system, []).append(one)
    return found


def most_held(levels: Sequence[Measured]) -> Measured | None:
    """Of one system's levels, the highest that it held; None when it held none."""
    return max((one for one in levels if one.is_held), key=lambda one: one.calls, default=None)
