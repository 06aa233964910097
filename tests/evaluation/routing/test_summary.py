"""What is told of the ablation's answers."""

import pytest

from evaluation.report.model import Part
from evaluation.routing.summary import summarise


def answer(
    number: int, way: str, *, is_right: bool, seconds: float | None = 0.1
) -> dict[str, object]:
    return {
        "id": f"q{number}",
        "language": "tl" if number % 2 else "es",
        "way": way,
        "answer": "Ang kabisera ng Pransya ay Paris po." if seconds else "",
        "is_right": is_right,
        "first_clause_seconds": seconds,
        "fallback": "",
        "error": "" if seconds else "no room",
    }


ANSWERS = [
    *(answer(n, "direct", is_right=n < 5) for n in range(20)),
    *(answer(n, "llm pivot", is_right=n < 15, seconds=0.3) for n in range(19)),
    answer(19, "llm pivot", is_right=False, seconds=None),
]


def test_every_way_by_language_and_against_the_direct_one() -> None:
    part = summarise(ANSWERS)
    figures = {figure.name: figure.value for figure in part.figures}
    assert figures["routing.right.direct.all"] == 0.25
    assert figures["routing.right.llm-pivot.all"] == 0.75
    assert figures["routing.first_clause_p50_ms.llm-pivot.all"] == pytest.approx(300)
    assert figures["routing.in_language.direct.tl"] == 1.0
    assert figures["routing.in_language.direct.es"] == 0.0
    rows = {(row[0], row[1]): row[2:] for row in part.sections[0].tables[0].rows}
    pivot = rows["all", "llm pivot"]
    assert pivot[0] == "20"
    assert pivot[2].startswith("+50.0 [")
    assert pivot[3:] == ["300 / 300", "+200", "47%", "0", "1"]
    assert rows["all", "direct"][2] == "-"


def test_no_ablation_is_no_section() -> None:
    assert summarise([]) == Part()


def test_an_id_of_another_language_is_another_question() -> None:
    """Files of several languages may number their questions alike."""
    answers = [
        {**answer(1, way, is_right=way != "direct" or language == "es"), "language": language}
        for language in ("tl", "es")
        for way in ("direct", "llm pivot")
    ]
    rows = {(row[0], row[1]): row for row in summarise(answers).sections[0].tables[0].rows}
    gains = {language: rows[language, "llm pivot"][4].split()[0] for language in ("tl", "es")}
    assert gains == {"tl": "+100.0", "es": "+0.0"}
