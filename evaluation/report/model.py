"""What a report is made of. The parts of the evaluation make it, the renderers show it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from evaluation.metrics.bootstrap import Difference, Interval


@dataclass(frozen=True, slots=True)
class Figure:
    """One number that thresholds and comparisons can name: "wer.hi", "rtf.all"."""

    name: str
    value: float
    low: float | None = None  # of its 95% interval, where there is one
    high: float | None = None
    num: int = 0  # of what it was taken over

    @classmethod
    def of(cls, name: str, interval: Interval) -> "Figure":
        """With its interval."""
        return cls(name, interval.value, interval.low, interval.high, interval.num)


@dataclass(frozen=True, slots=True)
class Table:
    """Cells of text; the first column names the rows."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Bars:
    """Shares with their intervals, in groups: group -> series -> interval."""

    title: str
    groups: Mapping[str, Mapping[str, Interval]]
    unit: str = "%"


@dataclass(frozen=True, slots=True)
class Distribution:
    """How much of a series lies below each time: name -> milliseconds."""

    title: str
    series: Mapping[str, Sequence[float]]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Counts: row (what it was) -> column (what it was taken for) -> number."""

    title: str
    rows: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Waterfall:
    """Steps on a common clock, each from when to when, in milliseconds."""

    title: str
    steps: Sequence[tuple[str, float, float]]


@dataclass(frozen=True, slots=True)
class Lines:
    """Values over a quantity: name -> (quantity, value) pairs. `limit`: a value not to exceed."""

    title: str
    quantity: str
    unit: str
    series: Mapping[str, Sequence[tuple[float, float]]]
    limit: float | None = None


Plot = Bars | Distribution | Lines | Matrix | Waterfall


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a report."""

    title: str
    about: str = ""  # paragraphs, with an empty line between them
    tables: Sequence[Table] = ()
    plots: Sequence[Plot] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """What one part of the evaluation has to say: sections for readers, figures for machines."""

    summary: Sequence[str] = ()  # sentences for the head of the report
    sections: Sequence[Section] = ()
    figures: Sequence[Figure] = field(default=())


def percent(share: float, digits: int = 1) -> str:
    """0.1234 as 12.3%."""
    return f"{100 * share:.{digits}f}%"


def with_interval(interval: Interval) -> str:
    """A share with its interval, for tables: "4.2% [2.9, 5.6]"."""
    return f"{percent(interval.value)} [{100 * interval.low:.1f}, {100 * interval.high:.1f}]"


def points(difference: Difference) -> str:
    """A difference of shares in points, with its interval: "+1.2 [-0.4, +2.9]"."""
    low, high = 100 * difference.low, 100 * difference.high
    return f"{100 * difference.value:+.1f} [{low:+.1f}, {high:+.1f}]"


def milliseconds(p50: float, p95: float) -> str:
    """Two percentiles: "120 / 340"."""
    return f"{p50:.0f} / {p95:.0f}"
