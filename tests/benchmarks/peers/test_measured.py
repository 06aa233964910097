"""When a level counts as held, and what a reader sees of the measurements."""

import pytest

from benchmarks.peers import tables
from benchmarks.peers.measured import Measured, most_held
from benchmarks.results import Exchange, LoadResult
from evaluation.report.model import Lines


def _measured(
    system: str,
    *milliseconds: float | None,
    calls: int = 1,
    wrong: int = 0,
    dry_seconds: float = 0.0,
    failures: int = 0,
) -> Measured:
    exchanges = tuple(
        Exchange(0, turn, "en", "Hello!", ms, answer_seconds=10.0, dry_seconds=dry_seconds)
        for turn, ms in enumerate(milliseconds)
    )
    result = LoadResult(calls, 40.0, exchanges, 1.0, 0.0, ("cannot call",) * failures)
    return Measured(system, result, len(result.answered) - wrong, 20.0, 500.0 + calls)


def test_an_answer_that_never_came_counts_as_late() -> None:
    assert _measured("other", *[900.0] * 19, None).is_held
    assert not _measured("other", *[900.0] * 18, None, None).is_held
    assert not _measured("other", *[900.0] * 18, 1900.0, None).is_held


def test_broken_audio_lost_calls_and_wrong_answers_are_not_held() -> None:
    assert not _measured("other", 900.0, dry_seconds=0.1).is_held
    assert not _measured("other", 900.0, failures=1).is_held
    assert not _measured("other").is_held
    assert _measured("other", *[900.0] * 20, wrong=4).is_held
    assert not _measured("other", *[900.0] * 20, wrong=5).is_held


def test_what_is_held_is_the_highest_level_that_is() -> None:
    levels = [_measured("other", 900.0, calls=1), _measured("other", 1900.0, calls=2)]
    held = most_held(levels)
    assert held is not None
    assert held.calls == 1
    assert most_held(levels[1:]) is None


def test_the_json_says_what_the_row_says() -> None:
    body = _measured("other", 1000.0, None).to_json()
    assert body["voice_to_voice_ms"] == [1000.0, 1000.0, 1000.0]
    assert (body["turns"], body["right"], body["cores"]) == (2, 1, 0.5)
    assert body["held"] is False


def _row(table: str, system: str, index: int = 0) -> list[str]:
    rows = [line for line in table.splitlines() if line.startswith(f"| {system} ")]
    return [cell.strip() for cell in rows[index].strip("|").split("|")]


@pytest.fixture
def run() -> list[Measured]:
    return [
        _measured("Tinig", 500.0, 500.0),
        _measured("other", 1000.0, 1500.0),
        _measured("Tinig", 600.0, calls=2),
        _measured("other", 2400.0, calls=2),
    ]


def test_a_system_is_beside_ours_at_the_same_level(run: list[Measured]) -> None:
    table = tables.levels(run)
    assert _row(table, "other")[:5] == ["other", "1", "2", "1250 / -", "2.5 / 3.0"]
    assert _row(table, "other", 1)[:5] == ["other", "2", "1", "2400 / -", "4.0 / 4.0"]


def test_the_summary_says_what_is_held_and_at_what_cost(run: list[Measured]) -> None:
    table = tables.summary(run)
    assert _row(table, "Tinig") == ["Tinig", "2", "500 / -", "1.0 / 1.0", "501", "502"]
    assert _row(table, "other") == ["other", "1", "1250 / -", "2.5 / 3.0", "501", "501"]


def test_without_answers_there_are_no_figures() -> None:
    table = tables.summary([_measured("Tinig", 500.0), _measured("other", None)])
    assert _row(table, "other") == ["other", "none", "-", "-", "501", "-"]


def test_a_system_that_could_not_run_is_named_with_the_reason() -> None:
    assert "other could not run: no compiler" in tables.text([], {"other": "no compiler"})


def test_the_plots_have_a_line_for_every_system(run: list[Measured]) -> None:
    plots = tables.plots(run)
    latency = plots["voice to voice"]
    assert isinstance(latency, Lines)
    assert latency.series == {
        "Tinig": [(1, 500.0), (2, 600.0)],
        "other": [(1, 1475.0), (2, 2400.0)],
    }
