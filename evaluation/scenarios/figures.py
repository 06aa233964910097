"""The figures of a run: what each is, its goal, and how findings add up to it.

Names that tau-voice has are used in its sense: response rate and latency, yield
rate and latency, agent interruption, selectivity for backchannels in a window of 1.0 s.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

Statistic = Literal["share", "p50", "p95", "sum"]
Unit = Literal["share", "ms", "count"]


@dataclass(frozen=True, slots=True)
class Goal:
    """A limit on one statistic of a figure."""

    statistic: Statistic
    limit: float  # in the figure's unit
    at_least: bool = False  # else at most

    def is_met(self, value: float) -> bool:
        """Whether a value is within it."""
        return value >= self.limit if self.at_least else value <= self.limit


@dataclass(frozen=True, slots=True)
class Figure:
    """Something that is measured."""

    name: str
    definition: str
    unit: Unit
    goals: tuple[Goal, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One measurement: of a share 1.0 (it was so) or 0.0, of a time milliseconds."""

    figure: str
    value: float
    label: str = ""  # what sort of act it comes from
    note: str = ""  # what was wrong


@dataclass(frozen=True, slots=True)
class Outcome:
    """A figure over many findings."""

    figure: Figure
    label: str  # "" over all
    num_findings: int
    values: Mapping[Statistic, float]

    @property
    def missed(self) -> tuple[Goal, ...]:
        """The goals that are not met; only what is over all has goals."""
        goals = () if self.label else self.figure.goals
        return tuple(goal for goal in goals if not goal.is_met(self.values[goal.statistic]))


def _at_most(share: float) -> tuple[Goal, ...]:
    return (Goal("share", share),)


FIGURES = {
    figure.name: figure
    for figure in (
        Figure(
            "cut_in_rate",
            "pauses in a sentence in which the server took the turn, or was heard, before the "
            "sentence was over",
            "share",
            _at_most(0.05),
        ),
        Figure(
            "agent_interruption_rate",
            "sentences without a pause in which the server took the turn all the same (tau-voice)",
            "share",
        ),
        Figure(
            "false_interruption_rate",
            "noises, echoes and backchannels over an answer that ended it, or took the turn until "
            "1.0 s after them (tau-voice: 1 - selectivity)",
            "share",
            _at_most(0.03),
        ),
        Figure(
            "missed_interruption_rate",
            "interruptions without the turn within 2.0 s of their first voiced sample "
            "(tau-voice: 1 - yield rate)",
            "share",
            _at_most(0.02),
        ),
        Figure(
            "pause_ms",
            "from the interrupter's first voiced sample to the pause of audio, in the recording",
            "ms",
            (Goal("p95", 200.0),),
        ),
        Figure(
            "commit_ms",
            "from the interrupter's first voiced sample to the server's word that they have the "
            "turn (tau-voice: yield latency)",
            "ms",
            (Goal("p95", 1000.0),),
        ),
        Figure(
            "held_ms",
            "silence in an answer because of a sound that was nothing, from pause to resume",
            "ms",
        ),
        Figure(
            "draft_hit_rate",
            "spoken turns that were answered with what was drafted before they were certain",
            "share",
            (Goal("share", 0.8, at_least=True),),
        ),
        Figure(
            "added_latency_ms",
            "from the confirmed end of the turn to the first audio sent (the server's record)",
            "ms",
            (Goal("p50", 20.0), Goal("p95", 150.0)),
        ),
        Figure(
            "response_rate",
            "turns that were answered aloud within 10 s (tau-voice)",
            "share",
        ),
        Figure(
            "response_latency_ms",
            "from the last voiced sample of a turn to the first sound of its answer, in the "
            "recording (tau-voice)",
            "ms",
        ),
        Figure(
            "stutter_rate",
            "answers with a gap of more than 0.1 s in the recording that no interruption made",
            "share",
        ),
        Figure(
            "right_answer_rate",
            "answers with the word that only the right one has (mostly the starter models' matter)",
            "share",
        ),
        Figure(
            "defects",
            "audio of an answer that was over or held, an answer without an end, an error, a line "
            "that died, a session that outlived its call, a turn made of silence",
            "count",
            (Goal("sum", 0.0),),
        ),
        Figure(
            "not_tested",
            "acts over an answer that was over already: they are in no other figure",
            "count",
        ),
    )
}


def is_failure(finding: Finding) -> bool:
    """Whether this one measurement is on the wrong side of its figure's goal."""
    goals = FIGURES[finding.figure].goals
    match FIGURES[finding.figure].unit:
        case "share":
            return bool(goals) and finding.value != float(goals[0].at_least)
        case "ms":
            return any(goal.statistic == "p95" and not goal.is_met(finding.value) for goal in goals)
        case "count":
            return bool(goals) and finding.value > 0


def outcomes(findings: Sequence[Finding]) -> list[Outcome]:
    """All figures that something was found for: each over all, then by label."""
    rows = []
    for figure in FIGURES.values():
        own = [finding for finding in findings if finding.figure == figure.name]
        if own or (figure.unit == "count" and figure.goals):
            rows.append(_outcome(figure, "", own))
        labels = dict.fromkeys(finding.label for finding in own if finding.label)
        if len(labels) > 1:
            rows += [
                _outcome(figure, label, [finding for finding in own if finding.label == label])
                for label in labels
            ]
    return rows


def _outcome(figure: Figure, label: str, findings: Sequence[Finding]) -> Outcome:
    values = [finding.value for finding in findings]
    return Outcome(figure, label, len(values), _statistics(figure, values))


def _statistics(figure: Figure, values: Sequence[float]) -> dict[Statistic, float]:
    match figure.unit:
        case "share":
            return {"share": float(np.mean(values)), "sum": sum(values)}
        case "ms":
            p50, p95 = np.percentile(values, [50, 95])
            return {"p50": float(p50), "p95": float(p95)}
        case "count":
            return {"sum": sum(values)}


def table(rows: Iterable[Outcome]) -> str:
    """The outcomes as text."""
    cells = [["figure", "value", "of", "goal", ""], *map(_row, rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(5)]
    return "\n".join(
        "  ".join(
            text.ljust(width) if column != 2 else text.rjust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    )


def _row(outcome: Outcome) -> list[str]:
    figure = outcome.figure
    name = f"  {outcome.label}" if outcome.label else figure.name
    goals = () if outcome.label else figure.goals
    verdict = "" if not goals else "missed" if outcome.missed else "met"
    return [
        name,
        _value_text(outcome),
        "" if figure.unit == "count" else str(outcome.num_findings),
        ", ".join(_goal_text(goal) for goal in goals),
        verdict,
    ]


def _value_text(outcome: Outcome) -> str:
    values = outcome.values
    match outcome.figure.unit:
        case "share":
            return f"{values['share']:.1%} ({values['sum']:.0f})"
        case "ms":
            return f"P50 {values['p50']:.0f} ms, P95 {values['p95']:.0f} ms"
        case "count":
            return f"{values['sum']:.0f}"


def _goal_text(goal: Goal) -> str:
    sign = "≥" if goal.at_least else "≤"
    match goal.statistic:
        case "share":
            return f"{sign} {goal.limit:.0%}"
        case "sum":
            return f"{sign} {goal.limit:.0f}"
        case _:
            return f"{goal.statistic.upper()} {sign} {goal.limit:.0f} ms"
