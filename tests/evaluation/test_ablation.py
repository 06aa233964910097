"""The ablation harness on scripted engines, its scores and its tables."""

import json
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from engines.errors import EngineError
from engines.llm import ChatRequest, Completion, Forget, TextDelta
from evaluation.__main__ import main as evaluation
from evaluation.ablation import Limits, Outcome, Way, ablate, is_right, report
from evaluation.ablation import __main__ as command
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


Play = Callable[[list[str]], list[tuple[float, Any]]]  # questions so far -> outputs of the model


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Callable[[Play], list[str]]:
    """Lets the command ask a scripted model; the list of its questions grows with each."""

    def begin(play: Play) -> list[str]:
        stage, questions = Stage(), list[str]()

        def answer(request: ChatRequest | Forget) -> list[tuple[float, Any]]:
            if isinstance(request, Forget):
                return [(0.0, Completion("ready"))]
            questions.append(request.messages[-1].content)
            return play(questions)

        stage.llm.script = answer
        monkeypatch.setattr(command, "engines_of", lambda *_: nullcontext(stage.engines))
        return questions

    return begin


def right(_: list[str]) -> list[tuple[float, Any]]:
    return [(0.0, TextDelta("Apat po.")), (0.0, Completion("stop", 5, 0, 3))]


def stopped_at_the_third(questions: list[str]) -> list[tuple[float, Any]]:
    if len(questions) == 3:
        raise KeyboardInterrupt
    return right(questions)


def four_questions(folder: Path) -> tuple[Path, list[str]]:
    path, texts = folder / "sums.tsv", [f"Ilan ang {n} at {n}?" for n in range(4)]
    path.write_text("".join(f"{text}\t4\n" for text in texts), encoding="utf-8")
    return path, texts


def test_answers_are_kept_and_no_question_is_asked_twice(
    asked: Callable[[Play], list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, texts = four_questions(tmp_path)
    arguments = [str(path), "--ways", "direct", "--output", str(tmp_path / "answers.jsonl")]
    questions = asked(stopped_at_the_third)
    assert command.main(arguments) == 130
    assert questions == texts[:3]
    assert "goes on from here" in capsys.readouterr().err
    questions = asked(right)
    assert command.main(arguments) == 0
    assert questions == texts[2:]
    assert "100.0% of 4" in capsys.readouterr().out
    path.write_text(path.read_text(encoding="utf-8").replace("3 at 3", "5 at 5"), encoding="utf-8")
    questions = asked(right)
    assert command.main(arguments) == 0
    assert len(questions) == 4


def test_a_question_that_failed_is_asked_again(
    asked: Callable[[Play], list[str]], tmp_path: Path
) -> None:
    path, texts = four_questions(tmp_path)
    output = tmp_path / "answers.jsonl"
    arguments = [str(path), "--ways", "direct", "--output", str(output)]
    asked(lambda said: right(said) if len(said) != 2 else [(0.0, EngineError("It broke."))])
    assert command.main(arguments) == 0
    questions = asked(right)
    assert command.main(arguments) == 0
    assert questions == [texts[1]]
    rows = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
    assert [(row["question"], row["error"]) for row in rows[1::3]] == [
        (texts[1], "It broke."),
        (texts[1], ""),
    ]


def test_the_report_of_a_run_takes_up_its_answers_too(
    asked: Callable[[Play], list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, texts = four_questions(tmp_path)
    output = tmp_path / "run"
    arguments = ["routing", "--questions", str(path), "--output", str(output)]
    asked(right)
    assert evaluation([*arguments, "--limit", "1"]) == 0
    before = (output / "routing.jsonl").read_text(encoding="utf-8")
    asked(stopped_at_the_third)
    assert evaluation(arguments) == 130
    kept = (output / "routing.jsonl").read_text(encoding="utf-8")
    assert kept.startswith(before)
    assert len(kept) > len(before)
    questions = asked(right)
    assert evaluation(arguments) == 0
    assert texts[0] not in questions
    figures = json.loads((output / "report.json").read_text(encoding="utf-8"))["figures"]
    direct = next(each for each in figures if each["name"] == "routing.right.direct.tl")
    assert (direct["value"], direct["num"]) == (1.0, 4)
    asked(right)
    assert evaluation([*arguments, "--llm.context_tokens", "4096"]) == 0
    figures = json.loads((output / "report.json").read_text(encoding="utf-8"))["figures"]
    assert next(e for e in figures if e["name"] == "routing.right.direct.tl")["num"] == 4


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
