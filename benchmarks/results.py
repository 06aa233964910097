"""What a load run found, as the load generator writes it and the benchmarks read it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

BUSY_SHARE = 0.8  # of one core: a generator above it is late itself
DRY_SECONDS = 0.02  # a gap in an answer that a listener may notice
NOT_TAKEN = "was not taken for an interruption"  # as thanks said over an answer should not be
LATE_SECONDS = 0.02  # a frame of the microphone that is later than this was late


@dataclass(frozen=True, slots=True)
class Exchange:
    """One utterance of a caller and what came of it. Times are ms from the end of the speech."""

    call: int
    turn: int  # of the call, from 0
    language: str
    said: str = ""
    voice_to_voice_ms: float | None = None  # to the first sound of the answer, at the caller
    milestones_ms: Mapping[str, float] = field(default_factory=dict)  # of the server's record
    draft: str = ""
    prompt_tokens: int = 0
    reused_tokens: int = 0
    interrupts: bool = False  # said over the answer to the one before
    answer_seconds: float = 0.0  # of audio that was played
    dry_seconds: float = 0.0  # in which the answer should have gone on, and nothing was there
    problem: str = ""

    @property
    def added_ms(self) -> float | None:
        """From the confirmed end of the turn to the first audio sent."""
        confirmed = self.milestones_ms.get("turn_confirmed")
        sent = self.milestones_ms.get("first_audio_sent")
        return None if confirmed is None or sent is None else sent - confirmed


@dataclass(frozen=True, slots=True)
class LoadResult:
    """All exchanges of a run, and how the generator itself fared."""

    calls: int
    seconds: float
    exchanges: tuple[Exchange, ...]
    cpu_seconds: float  # of the generator
    late_share: float  # of its frames
    failures: tuple[str, ...] = ()  # calls that ended early, and why

    @property
    def is_bottleneck(self) -> bool:
        """Whether the generator, not the server, may have set the figures."""
        return self.cpu_seconds > BUSY_SHARE * self.seconds or self.late_share > 0.01

    @property
    def answered(self) -> list[Exchange]:
        """Those that were answered with audio."""
        return [one for one in self.exchanges if one.voice_to_voice_ms is not None]

    @property
    def underrun_share(self) -> float:
        """Of the time of all answers, how much was a gap in them."""
        played = sum(one.answer_seconds for one in self.exchanges)
        dry = sum(one.dry_seconds for one in self.exchanges)
        return dry / (played + dry) if played else 0.0

    def share_later_than(self, latest_ms: float) -> float:
        """Of the turns, those answered later or not at all."""
        waits = [one.voice_to_voice_ms for one in self.exchanges if one.problem != NOT_TAKEN]
        return sum(ms is None or ms > latest_ms for ms in waits) / len(waits) if waits else 1.0

    def share_of_drafts(self) -> float:
        """Turns whose draft, begun before their end was certain, was used; of those that ended by
        themselves, which alone have a record."""
        known = [one for one in self.answered if one.milestones_ms]
        return sum(one.draft == "hit" for one in known) / len(known) if known else 0.0

    def to_json(self) -> dict[str, Any]:
        """As JSON, for `from_json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> "LoadResult":
        """From what `to_json` wrote."""
        exchanges = tuple(Exchange(**one) for one in body["exchanges"])
        return cls(**{**body, "exchanges": exchanges, "failures": tuple(body["failures"])})


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Of a series of milliseconds. Shown is only what so many values can tell."""

    p50: float
    p95: float
    p99: float
    count: int

    def __str__(self) -> str:
        return f"{self.p50:.0f} / {self._shown(self.p95, 20)}"

    def all(self) -> str:
        """All three: "326 / 1214 / 1226"."""
        return f"{self} / {self._shown(self.p99, 100)}"

    def _shown(self, percentile: float, fewest: int) -> str:
        return f"{percentile:.0f}" if self.count >= fewest else "-"


def percentiles(values_ms: Iterable[float | None]) -> Percentiles | None:
    """P50, P95 and P99; None when there is no value."""
    values = [value for value in values_ms if value is not None]
    if not values:
        return None
    p50, p95, p99 = (round(float(value), 1) for value in np.percentile(values, [50, 95, 99]))
    return Percentiles(p50, p95, p99, len(values))


def percentiles_of_seconds(seconds: Iterable[float]) -> Percentiles:
    """The same in ms, of measured seconds, of which there is one at least."""
    found = percentiles(1000 * one for one in seconds)
    assert found is not None
    return found


def milestone(name: str) -> Callable[[Exchange], float | None]:
    """How to read one milestone of an exchange."""
    return lambda exchange: exchange.milestones_ms.get(name)


def column(exchanges: Sequence[Exchange], read: Callable[[Exchange], float | None]) -> str:
    """P50 / P95 of one thing over exchanges, for a table."""
    found = percentiles(read(exchange) for exchange in exchanges)
    return str(found) if found else "-"
