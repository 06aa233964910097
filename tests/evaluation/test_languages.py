"""The evaluation of languages: its scenarios, its tables, its parts on scripted engines."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from engines.stt import SttRequest, Transcript
from evaluation.ablation import Outcome, Way
from evaluation.data.questions import Question
from evaluation.languages import identification, latency, routing
from evaluation.languages.identification import Identified, identify_all
from evaluation.languages.queries import held_out, labelled
from evaluation.languages.scenarios import Line, scenarios
from evaluation.languages.switching import Flip
from server.config import LANGUAGES
from tests.fakes import Stage, transcript
from tests.virtual import virtual_time


def test_every_scenario_changes_or_mixes_its_languages_and_keeps_short_words() -> None:
    names = {scenario.name for scenario in scenarios()}
    assert {"en, tl, en", "es, hi", "Taglish"} <= names
    lines = [line for scenario in scenarios() for line in scenario.lines]
    assert {line.due for line in lines} <= set(LANGUAGES)
    assert any(len(line.says.split()) == 1 for line in lines)


def test_a_turn_that_was_not_answered_is_wrong() -> None:
    line = Line("tl", "Opo.", "tl")
    assert Flip("Taglish", line, "", "").is_wrong
    assert Flip("Taglish", line, "Opo.", "en").is_wrong
    assert not Flip("Taglish", line, "Opo.", "tl").is_wrong


@virtual_time
async def test_utterances_are_spoken_and_believed_by_all_evidence() -> None:
    stage = Stage()

    def hear(request: SttRequest) -> list[tuple[float, Transcript]]:
        assert request.languages == LANGUAGES
        assert request.samples.dtype == np.float32
        shares = {"en": 0.5, "hi": 0.4, "es": 0.04, "fr": 0.03, "tl": 0.03}
        heard = transcript("क्या क्लिनिक खुला है", "en", languages=LANGUAGES)
        return [(0.1, replace(heard, language_probabilities=shares))]

    stage.stt.script = hear
    spoken = [("hi", "क्या क्लिनिक खुला है?")]
    (one,) = [each async for each in identify_all(stage.engines.stt, spoken)]
    assert (one.language, one.guess, one.believed) == ("hi", "en", "hi")
    assert one.seconds > 0.1


def test_identification_is_told_by_length() -> None:
    found = [
        Identified("tl", "Opo.", 0.4, "tl", "en"),
        Identified("tl", "Magkano po?", 0.9, "en", "tl"),
        Identified("tl", "Magkano po ang dentista?", 1.2, "tl", "tl"),
    ]
    text = identification.table(found)
    row = next(line for line in text.splitlines() if line.startswith("| tl"))
    assert "0% (100%) of 1" in row
    assert "100% (50%) of 2" in row
    assert "67% (67%) of 3" in row


def test_the_router_s_table_has_every_language_and_all_questions() -> None:
    text = routing.table(labelled())
    for language in LANGUAGES:
        assert f"| {language}" in text
    assert text.count("of 63") == 2 * len(LANGUAGES)


def test_the_held_out_questions_are_as_many_of_every_kind_and_none_is_known() -> None:
    counts = Counter((query.language, query.complexity) for query in held_out())
    assert set(counts.values()) == {7}
    assert len(counts) == 3 * len(LANGUAGES)
    assert {query.text for query in held_out()}.isdisjoint(query.text for query in labelled())


def test_latency_is_told_of_each_way_and_of_pivots_that_went_through() -> None:
    question = Question("1", "tl", "?", "", "text")
    outcomes = [
        Outcome(Way.DIRECT, question, "a", False, 0.1, 1.0),
        Outcome(Way.LLM_PIVOT, question, "a", False, 0.4, 1.0),
        Outcome(Way.LLM_PIVOT, question, "a", False, 0.8, 1.0, fallback="lost"),
    ]
    text = latency.table(outcomes)
    rows = {line.split("|")[1].strip(): line for line in text.splitlines()}
    assert "600" in rows["LLM pivot"]
    assert "400" in rows["LLM pivot, all the way"]
    found = latency.latency(outcomes[:1])
    assert found is not None
    assert found.p95_ms == pytest.approx(100.0)
    assert latency.latency([]) is None
