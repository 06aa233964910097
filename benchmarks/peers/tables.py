"""The measurements as a reader sees them: what each system holds, every level, the plots."""

from collections.abc import Mapping, Sequence

from benchmarks.curve import LATEST_MS
from benchmarks.peers.measured import Measured, by_system, most_held
from evaluation.report.model import Lines, Plot
from evaluation.tables import markdown

OURS = "Tinig"


def text(measured: Sequence[Measured], failures: Mapping[str, str]) -> str:
    """Markdown: both tables, and why a system could not run."""
    absent = [f"{system} could not run: {why}" for system, why in failures.items()]
    return "\n\n".join([summary(measured), levels(measured), *absent])


def summary(measured: Sequence[Measured]) -> str:
    """A row a system: the calls that it holds, how it answers one, the memory of both."""
    head = [
        "system",
        "calls held",
        "one call: voice to voice, P50 / P95 ms",
        "times Tinig's",
        "MB with one call",
        "MB with as many as it holds",
    ]
    return markdown(head, [_summary_row(own, measured) for own in by_system(measured).values()])


def _summary_row(own: Sequence[Measured], measured: Sequence[Measured]) -> list[str]:
    held = most_held(own)
    alone = next((one for one in own if one.calls == 1), None)
    return [
        own[0].system,
        str(held.calls) if held else "none",
        _voice(alone),
        _times(alone, measured),
        _megabytes(alone),
        _megabytes(held),
    ]


def levels(measured: Sequence[Measured]) -> str:
    """A row a system and level, each beside ours at the same level."""
    head = [
        "system",
        "calls",
        "turns",
        "voice to voice, P50 / P95 ms",
        "times Tinig's",
        "answered",
        "rightly",
        "underruns",
        "cores",
        "MB",
        "held",
        "callers, cores",
        "others, cores",
    ]
    return markdown(head, [_level_row(one, measured) for one in measured])


def _level_row(one: Measured, measured: Sequence[Measured]) -> list[str]:
    result = one.result
    turns = len(result.exchanges)
    return [
        one.system,
        str(one.calls),
        str(turns),
        _voice(one),
        _times(one, measured),
        f"{len(result.answered) / turns:.0%}" if turns else "-",
        f"{one.right_share:.0%}",
        f"{result.underrun_share:.2%}",
        f"{one.cores:.2f}",
        _megabytes(one),
        "yes" if one.is_held else "no",
        f"{result.cpu_seconds / result.seconds:.2f}{'!' if result.is_bottleneck else ''}",
        f"{one.other_cores:.2f}",
    ]


def line(one: Measured) -> str:
    """In a few words, while others are measured."""
    turns, answered = len(one.result.exchanges), len(one.result.answered)
    held = "held" if one.is_held else "not held"
    return f"{_voice(one)} ms; of {turns} turns {answered} answered, {one.right} rightly: {held}"


def plots(measured: Sequence[Measured]) -> dict[str, Plot]:
    """P95 and memory over calls, a line a system."""
    found = by_system(measured)
    late = {
        name: [(one.calls, one.voice_to_voice.p95) for one in own if one.voice_to_voice]
        for name, own in found.items()
    }
    memory = {name: [(one.calls, one.resident_mb) for one in own] for name, own in found.items()}
    return {
        "voice to voice": Lines("Voice to voice, P95", "calls at once", "ms", late, LATEST_MS),
        "memory": Lines("Memory", "calls at once", "MB", memory),
    }


def _voice(one: Measured | None) -> str:
    return str(one.voice_to_voice) if one and one.voice_to_voice else "-"


def _times(one: Measured | None, measured: Sequence[Measured]) -> str:
    """How many times our voice to voice its own is at the same level, P50 and P95."""
    ours = next(
        (other for other in measured if one and (other.system, other.calls) == (OURS, one.calls)),
        None,
    )
    theirs, own = (other and other.voice_to_voice for other in (one, ours))
    return f"{theirs.p50 / own.p50:.1f} / {theirs.p95 / own.p95:.1f}" if theirs and own else "-"


def _megabytes(one: Measured | None) -> str:
    return f"{one.resident_mb:.0f}" if one else "-"
