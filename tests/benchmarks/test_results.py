"""What a load run found, written, read and summed up."""

import json
from dataclasses import replace

import pytest

from benchmarks.results import Exchange, LoadResult, column, percentiles

ANSWERED = Exchange(
    call=0,
    turn=3,
    language="hi",
    voice_to_voice_ms=480.0,
    milestones_ms={"turn_confirmed": 330.0, "first_audio_sent": 342.5},
    draft="hit",
    answer_seconds=3.9,
    dry_seconds=0.1,
)
MISSED = Exchange(call=1, turn=0, language="es", problem="no answer was heard")
RESULT = LoadResult(2, 30.0, (ANSWERED, MISSED), cpu_seconds=3.0, late_share=0.0)


def test_a_result_survives_its_way_between_processes() -> None:
    assert LoadResult.from_json(json.loads(json.dumps(RESULT.to_json()))) == RESULT


def test_added_latency_is_from_the_confirmed_turn_to_the_first_audio_sent() -> None:
    assert ANSWERED.added_ms == 12.5
    assert MISSED.added_ms is None


def test_underruns_are_a_share_of_the_time_of_the_answers() -> None:
    assert RESULT.underrun_share == pytest.approx(0.1 / 4.0)
    assert replace(RESULT, exchanges=()).underrun_share == 0.0


def test_drafts_are_counted_over_the_turns_that_were_answered() -> None:
    assert RESULT.share_of_drafts() == 1.0


@pytest.mark.parametrize(
    ("cpu_seconds", "late_share", "is_bottleneck"),
    [(3.0, 0.0, False), (29.0, 0.0, True), (3.0, 0.2, True)],
)
def test_a_generator_that_is_busy_or_late_says_so(
    cpu_seconds: float, late_share: float, is_bottleneck: bool
) -> None:
    result = replace(RESULT, cpu_seconds=cpu_seconds, late_share=late_share)
    assert result.is_bottleneck == is_bottleneck


def test_percentiles_leave_out_what_was_not_measured() -> None:
    found = percentiles([100.0, None, 300.0])
    assert found is not None
    assert (found.p50, found.count) == (200.0, 2)
    assert percentiles([None]) is None
    assert column([MISSED], lambda one: one.voice_to_voice_ms) == "-"
