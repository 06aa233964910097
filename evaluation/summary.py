"""P50 and P95 of every milestone, per language and over all."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.turns import Turn

# Milestones of the server's record in the order in which they usually come, and what we call them.
MILESTONES = {
    "transcript": "transcript",
    "first_token": "first token",
    "first_clause": "first clause",
    "first_audio_synthesized": "first audio made",
    "turn_confirmed": "turn confirmed",
    "first_audio_sent": "first audio sent",
    "voice_to_voice": "caller hears answer",  # measured at the caller, not by the server
}
ALL = "all"


@dataclass(frozen=True, slots=True)
class Figure:
    """Milliseconds from the end of the caller's speech, over `num_turns` turns."""

    p50_ms: float
    p95_ms: float
    num_turns: int


def summarize(turns: Sequence[Turn]) -> dict[str, dict[str, Figure]]:
    """Language (and "all") -> milestone -> figure; what no turn reached is absent."""
    languages = dict.fromkeys(turn.language for turn in turns)
    groups = {language: [t for t in turns if t.language == language] for language in languages}
    return {name: _figures(group) for name, group in {**groups, ALL: list(turns)}.items()}


def _figures(turns: Sequence[Turn]) -> dict[str, Figure]:
    times = [times_ms(turn) for turn in turns]
    columns = {name: [each[name] for each in times if name in each] for name in MILESTONES}
    return {name: _figure(values) for name, values in columns.items() if values}


def times_ms(turn: Turn) -> dict[str, float]:
    """The milestones that a turn reached, with what the caller measured among them."""
    reached = {name: ms for name, ms in turn.milestones_ms.items() if name in MILESTONES}
    if turn.voice_to_voice_ms is not None:
        reached["voice_to_voice"] = turn.voice_to_voice_ms
    return reached


def _figure(values_ms: Sequence[float]) -> Figure:
    p50_ms, p95_ms = np.percentile(values_ms, [50, 95])
    return Figure(round(float(p50_ms), 1), round(float(p95_ms), 1), len(values_ms))


def table(summary: Mapping[str, Mapping[str, Figure]]) -> str:
    """The figures as text: a row per milestone, a column per language, "P50 / P95" in ms."""
    rows = [["P50 / P95 in ms", *summary]]
    for name, label in MILESTONES.items():
        rows.append([label, *(_cell(figures.get(name)) for figures in summary.values())])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(_line(row, widths) for row in rows)


def _cell(figure: Figure | None) -> str:
    return f"{figure.p50_ms:.0f} / {figure.p95_ms:.0f}" if figure else "-"


def _line(row: Iterable[str], widths: Sequence[int]) -> str:
    first, *others = zip(row, widths, strict=True)
    cells = [first[0].ljust(first[1]), *(text.rjust(width) for text, width in others)]
    return "  ".join(cells)
