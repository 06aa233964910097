"""A level of the curve: what it says of itself, and whether it was held."""

from dataclasses import replace

import pytest

from benchmarks.curve import Point, plots, table
from benchmarks.harness import Loaded
from benchmarks.results import NOT_TAKEN, Exchange, LoadResult
from evaluation.report.model import Lines

ANSWERED = Exchange(0, 0, "en", voice_to_voice_ms=400.0, draft="hit", answer_seconds=10.0)
SLOW = replace(ANSWERED, voice_to_voice_ms=2500.0)
UNHEARD = Exchange(0, 1, "en", problem="was not answered")


def point(*exchanges: Exchange, failures: tuple[str, ...] = ()) -> Point:
    result = LoadResult(2, 10.0, exchanges, 1.0, 0.0, failures)
    loaded = Loaded(result, 5.0, 180.0, {}, {"vad": 1.5, "stt": 2.0}, other_cpu_seconds=3.0)
    return Point(loaded, idle_mb=170.0)


def test_a_level_says_what_it_cost_and_what_went_wrong() -> None:
    figures = point(ANSWERED, UNHEARD, failures=("cannot call",)).to_json()
    assert figures["voice_to_voice_ms"] == [400.0, 400.0, 400.0]
    assert figures["server_cores"] == pytest.approx(0.5)
    assert figures["generator_cores"] == pytest.approx(0.1)
    assert figures["other_cores"] == pytest.approx(0.3)
    assert figures["megabytes_per_call"] == pytest.approx(5.0)
    assert figures["problems"] == {"was not answered": 1, "cannot call": 1}
    assert figures["jobs_per_step"] == {"vad": 1.5, "stt": 2.0}


@pytest.mark.parametrize(
    ("exchanges", "is_held"),
    [
        ([ANSWERED], True),
        ([ANSWERED, SLOW], False),
        ([replace(ANSWERED, dry_seconds=0.1)], False),
        ([UNHEARD], False),
        ([ANSWERED] * 9 + [UNHEARD], False),
        ([ANSWERED, replace(UNHEARD, interrupts=True, problem=NOT_TAKEN)], True),
    ],
)
def test_a_level_is_held_while_answers_come_in_time_and_without_gaps(
    exchanges: list[Exchange], is_held: bool
) -> None:
    assert point(*exchanges).is_held == is_held
    assert not point(*exchanges, failures=("the line is dead",)).is_held


def test_the_table_and_the_plots_have_every_level() -> None:
    points = [point(ANSWERED), point(SLOW)]
    assert len(table(points).splitlines()) == 4
    latency = plots(points)["voice to voice"]
    assert isinstance(latency, Lines)
    assert latency.series["P95"] == [(2, 400.0), (2, 2500.0)]
