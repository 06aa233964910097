"""The outcomes as tables: how often each way is right, what it costs, with 95% intervals."""

from collections.abc import Sequence

import numpy as np

from evaluation.ablation.run import Outcome
from evaluation.ablation.ways import Way
from evaluation.metrics.bootstrap import paired_difference, share
from evaluation.report.model import points
from evaluation.tables import markdown


def report(outcomes: Sequence[Outcome]) -> str:
    """A table for each language and one for all; every way against direct on the same questions."""
    languages = list(dict.fromkeys(outcome.question.language for outcome in outcomes))
    parts = [
        (language, [each for each in outcomes if each.question.language == language])
        for language in languages
    ]
    if len(languages) > 1:
        parts.append(("all", list(outcomes)))
    return "\n\n".join(f"### {name}\n\n{_table(group)}" for name, group in parts)


def _table(outcomes: Sequence[Outcome]) -> str:
    ways = [way for way in Way if any(outcome.way is way for outcome in outcomes)]
    by_way = {way: [each for each in outcomes if each.way is way] for way in ways}
    head = [
        "way",
        "right",
        "95%",
        "against direct",
        "first clause P50 / P95 ms",
        "added P50 / P95 ms",
        "fell back",
        "failed",
    ]
    direct = by_way.get(Way.DIRECT, [])
    return markdown(head, [_row(way, by_way[way], direct) for way in ways])


def _row(way: Way, outcomes: Sequence[Outcome], direct: Sequence[Outcome]) -> list[str]:
    right = share([each.is_right for each in outcomes])
    pairs = _pairs(outcomes, direct) if way is not Way.DIRECT else []
    return [
        way.value,
        f"{right.value:.1%} of {right.num}",
        f"{right.low:.1%} to {right.high:.1%}",
        _gain(pairs),
        _milliseconds([each.first_clause_seconds for each in outcomes]),
        _milliseconds([_added(each, other) for each, other in pairs]),
        str(sum(bool(each.fallback) for each in outcomes)),
        str(sum(bool(each.error) for each in outcomes)),
    ]


def _pairs(outcomes: Sequence[Outcome], direct: Sequence[Outcome]) -> list[tuple[Outcome, Outcome]]:
    """With what the direct way made of the same question."""
    others = {each.question: each for each in direct}
    return [(each, others[each.question]) for each in outcomes if each.question in others]


def _gain(pairs: Sequence[tuple[Outcome, Outcome]]) -> str:
    """Points of accuracy against direct."""
    if not pairs:
        return "-"
    first = [float(other.is_right) for _, other in pairs]
    second = [float(each.is_right) for each, _ in pairs]
    return points(paired_difference(first, second, [1.0] * len(pairs)))


def _added(each: Outcome, other: Outcome) -> float | None:
    if each.first_clause_seconds is None or other.first_clause_seconds is None:
        return None
    return each.first_clause_seconds - other.first_clause_seconds


def _milliseconds(values: Sequence[float | None]) -> str:
    known = [1000 * value for value in values if value is not None]
    if not known:
        return "-"
    p50, p95 = np.percentile(known, [50, 95])
    return f"{p50:.0f} / {p95:.0f}"
