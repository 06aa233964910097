"""The ablation harness on scripted engines, its scores and its tables."""

import json
from pathlib import Path

import pytest

from engines.llm import ChatRequest, Completion, Forget, TextDelta
from evaluation.ablation import Limits, Outcome, Way, ablate, is_right, report
from evaluation.ablation.__main__ import OWN
from evaluation.ablation.ways import possible, thinker
from evaluation.data.questions import Kind, Question, read
from tests.fakes import Stage
from tests.virtual import virtual_time

SUM = Question("q1", "tl", "Ilan ang dalawa at dalawa?", "4", "number")


def scripted() -> Stage:
    """Right by notes alone, a second for each request; translations are what they were given."""
    stage = Stage()

    def answer(request: ChatRequest | Forget) -> list[tuple[float, object]]:
        if isinstance(request, Forget):
            return [(0.0, Completion("ready"))]
        said = request.messages[-1].content
        words = "Lima po." if "Facts" not in said else "Apat po."
        if request.session.endswith("/notes"):
            words = "Facts: two and two."
        if request.session.endswith(("/en", "/tl")):
            words = said.partition(": ")[2]
        return [(1.0, TextDelta(words)), (0.0, Completion("stop", 5, 0, 3))]

    stage.llm.script = answer
    return stage


@virtual_time
async def test_every_way_is_asked_and_timed_alike() -> None:
    stage = scripted()
    told: list[Outcome] = []
    outcomes = await ablate(
        stage.engines,
        [SUM],
        possible(stage.engines),
        limits=Limits(notes=9),
        on_outcome=told.append,
    )
    assert told == outcomes
    by_way = {outcome.way: outcome for outcome in outcomes}
    assert list(by_way) == [Way.DIRECT, Way.NATIVE, Way.LLM_PIVOT, Way.STRUCTURED]
    right = {way for way, outcome in by_way.items() if outcome.is_right}
    assert right == {Way.NATIVE, Way.STRUCTURED}
    assert by_way[Way.DIRECT].first_clause_seconds == pytest.approx(1.0)
    assert by_way[Way.STRUCTURED].first_clause_seconds == pytest.approx(2.0)
    assert "number 2" in by_way[Way.LLM_PIVOT].fallback  # it was not translated at all
    assert by_way[Way.LLM_PIVOT].seconds == pytest.approx(2.0)
    assert stage.open_jobs == []


@virtual_time
async def test_native_notes_are_in_the_language_and_structured_ones_in_english() -> None:
    stage = scripted()
    await ablate(stage.engines, [SUM], [Way.NATIVE, Way.STRUCTURED])
    systems = [
        request.messages[0].content
        for request in stage.prompts
        if request.session.endswith("/notes")
    ]
    assert "in Tagalog, for yourself" in systems[0]
    assert "in English, for yourself" in systems[1]


def test_an_nmt_pivot_needs_its_model() -> None:
    with pytest.raises(ValueError, match=r"translate\.models"):
        thinker(Way.NMT_PIVOT, Stage().engines, "s", 10)


@pytest.mark.parametrize(
    ("kind", "language", "wanted", "answer", "right"),
    [
        ("number", "en", "36", "Nine times four is thirty-six.", True),
        ("number", "en", "36", "It is 36, not 35.", False),
        ("number", "tl", "1200", "Isang libo at dalawang daan po.", True),
        ("number", "es", "2.5", "Son 2,5 litros", True),
        ("number", "hi", "5", "पता नहीं।", False),
        ("text", "es", "París", "La capital es PARIS.", True),
        ("text", "es", "Lima", "La limadora.", False),
        ("choice", "en", "ten", "B", True),
        ("choice", "en", "ten", "The answer is ten.", True),
        ("choice", "en", "ten", "ten thousand", False),
        ("choice", "en", "ten", "ten or one", False),
        ("choice", "en", "ten", "2.", True),
    ],
)
def test_answers_are_scored(
    kind: Kind, language: str, wanted: str, answer: str, right: bool
) -> None:
    choices = ("one", "ten", "ten thousand", "none") if kind == "choice" else ()
    question = Question("q", language, "?", wanted, kind, choices)
    assert is_right(answer, question) is right


def test_the_report_tells_gain_and_added_time_of_the_same_questions() -> None:
    questions = [Question(str(number), "tl", "?", "4", "number") for number in range(20)]
    outcomes = [Outcome(Way.DIRECT, each, "", False, 0.2, 1.0) for each in questions]
    outcomes += [Outcome(Way.STRUCTURED, each, "4", True, 0.7, 2.0) for each in questions]
    outcomes.append(Outcome(Way.LLM_PIVOT, questions[0], "", False, None, 1.0, "lost", "broke"))
    table = report(outcomes)
    lines = {line.split("|")[1].strip(): line for line in table.splitlines() if "|" in line}
    assert "0.0% of 20" in lines["direct"]
    assert "+100.0" in lines["structured"]
    assert "500 / 500" in lines["structured"]
    assert lines["LLM pivot"].rstrip(" |").endswith("1 |      1")
    assert "### tl" in table


def test_our_own_questions_are_read() -> None:
    questions = [each for each in read(OWN, "tl") if isinstance(each, Question)]
    assert len(questions) == len(OWN.read_text(encoding="utf-8").splitlines())
    assert {each.language for each in questions} == {"tl", "hi", "es"}
    assert {each.kind for each in questions} == {"number", "text"}


def test_outcomes_of_a_jsonl_of_ours_can_be_scored(tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl"
    row = {"question": "Ilan?", "answer": "so 2+2 = 4 #### 4"}
    path.write_text(json.dumps(row), encoding="utf-8")
    (question,) = read(path, "tl")
    assert isinstance(question, Question)
    assert is_right("Apat po.", question)
