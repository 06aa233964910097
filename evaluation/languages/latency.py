"""What the pivot costs: the same questions directly and by English, in turn, in one run."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engines.host import Engines
from evaluation.ablation import Limits, Outcome, Way, ablate
from evaluation.data.questions import Question
from evaluation.tables import markdown


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds from the question to the first clause."""

    p50_ms: float
    p95_ms: float
    num: int


async def measure(engines: Engines, texts: Sequence[str], language: str) -> list[Outcome]:
    """Every question directly, by a pivot of each kind that is possible, and structured."""
    questions = [
        Question(str(number), language, text, "", "text") for number, text in enumerate(texts)
    ]
    ways = [Way.DIRECT, Way.LLM_PIVOT, Way.STRUCTURED]
    if engines.nmt is not None:
        ways.insert(2, Way.NMT_PIVOT)
    return await ablate(engines, questions, ways, limits=Limits(notes=60, answer=80))


def table(outcomes: Sequence[Outcome]) -> str:
    """A row for each way; of a pivot also without those that fell back to the direct way."""
    rows = []
    for way in dict.fromkeys(outcome.way for outcome in outcomes):
        own = [each for each in outcomes if each.way is way]
        rows.append([way.value, *_cells(own)])
        whole = [each for each in own if not each.fallback]
        if len(whole) < len(own):
            rows.append([f"{way.value}, all the way", *_cells(whole)])
    return markdown(["first clause after the question", "P50 ms", "P95 ms", "questions"], rows)


def latency(outcomes: Sequence[Outcome]) -> Latency | None:
    """None when nothing was answered."""
    values = [each.first_clause_seconds for each in outcomes]
    known = [1000 * value for value in values if value is not None]
    if not known:
        return None
    p50, p95 = np.percentile(known, [50, 95])
    return Latency(float(p50), float(p95), len(known))


def _cells(outcomes: Sequence[Outcome]) -> list[str]:
    found = latency(outcomes)
    if found is None:
        return ["-", "-", "0"]
    return [f"{found.p50_ms:.0f}", f"{found.p95_ms:.0f}", str(found.num)]
