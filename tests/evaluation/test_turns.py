"""What a turn is judged by, and what is said of one that failed."""

import pytest

from evaluation.caller import call
from evaluation.turns import Turn, take_turn
from tests.evaluation.realtime_double import Double, Flaw, serving, tone


@pytest.fixture(autouse=True)
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evaluation.turns.ANSWER_TIMEOUT_SECONDS", 1.0)
    monkeypatch.setattr("evaluation.turns.RECORD_TIMEOUT_SECONDS", 0.1)


async def turn_with(double: Double) -> Turn:
    async with serving(double) as url, call(url) as caller:
        return await take_turn(caller, "en", "The capital?", tone(0.2), pause_seconds=0.1)


async def test_a_good_turn_has_all_figures_and_no_problem() -> None:
    turn = await turn_with(Double())
    assert turn.problems == ()
    assert (turn.said, turn.heard) == ("The capital?", "What is the capital of Japan?")
    assert turn.answer == "The capital of Japan is Tokyo."
    assert (turn.heard_language, turn.heard_probability, turn.draft) == ("en", 0.9, "hit")
    assert turn.milestones_ms["transcript"] == 100.0
    assert turn.voice_to_voice_ms is not None
    assert turn.voice_to_voice_ms >= 180


async def test_an_answer_in_another_language_is_a_problem() -> None:
    turn = await turn_with(Double(answer="La capital de Japón es Tokio.", language="es"))
    assert turn.problems == (
        "taken for es (90%), but it was en",
        "the answer reads like es, not like en",
    )


@pytest.mark.parametrize(
    ("flaw", "problem"),
    [
        ("deaf", "no complete answer within 1 s; the server did not notice the speech"),
        ("speechless", "no complete answer within 1 s; the server transcribed the speech"),
        ("endless", "no complete answer within 1 s; the answer has audio, but never ended"),
        ("hangs up", "the line is dead: the server closed it with code 1011"),
        ("silent", "nothing of the answer could be heard"),
        ("complains", "the server reported: The LLM has died."),
    ],
)
async def test_a_failed_turn_says_how_far_it_got(flaw: Flaw, problem: str) -> None:
    turn = await turn_with(Double(flaw=flaw))
    assert any(problem in each for each in turn.problems), turn.problems
