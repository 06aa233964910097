"""What is found right and wrong in a call, and from when on it was silent."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from evaluation.telephone.conversation import Script, Turn, problems, script, silent_from

RATE_HZ = 8_000
SCRIPT = Script("es", "¿Cuál es el horario?", "¿Dónde está la clínica?", "mango")
ANSWER = "En la calle Mango."
FIRST = Turn(
    SCRIPT.first,
    {"language": "es", "status": "cancelled", "answer": "De lunes a"},
    first_sound_ms=700,
    silent_after_ms=300,
)
SECOND = Turn(
    SCRIPT.second,
    {"language": "es", "status": "completed", "answer": ANSWER},
    first_sound_ms=700,
)


def with_record(turn: Turn, **fields: Any) -> Turn:
    return replace(turn, record={**turn.record, **fields})


def test_a_right_call_has_no_problems() -> None:
    assert problems(SCRIPT, [FIRST, SECOND], ANSWER) == []
    assert problems(SCRIPT, [FIRST, SECOND], "en la calle, mango") == []


def test_an_answer_that_cannot_be_understood_is_a_problem() -> None:
    (problem,) = problems(SCRIPT, [FIRST, SECOND], "Me llamo calle Mango.")
    assert problem == "50% of the second answer cannot be understood"


@pytest.mark.parametrize(
    ("first", "second", "problem"),
    [
        (replace(FIRST, record={}), SECOND, "first question: the server has no record of it"),
        (with_record(FIRST, language="en"), SECOND, "first question: taken for en"),
        (replace(FIRST, error_rate=0.5), SECOND, "first question: 50% of its words are wrong"),
        (with_record(FIRST, status="completed"), SECOND, "the first answer was not interrupted"),
        (replace(FIRST, silent_after_ms=4000), SECOND, "the first answer went on for 4000 ms"),
        (FIRST, replace(SECOND, first_sound_ms=None), "second question: nothing was heard"),
        (FIRST, with_record(SECOND, status="cancelled"), "the second answer was not completed"),
        (FIRST, with_record(SECOND, answer="Sí."), "the second answer does not say 'mango'"),
    ],
)
def test_what_is_wrong_is_said(first: Turn, second: Turn, problem: str) -> None:
    assert any(found.startswith(problem) for found in problems(SCRIPT, [first, second], ANSWER))


def test_the_script_is_the_languages_own() -> None:
    assert script("hi").language == "hi"
    assert script("es").expects == "mango"


def test_silence_begins_where_the_sound_ends_for_longer_than_between_words() -> None:
    def stretch(seconds: float, level: int) -> np.ndarray[Any, np.dtype[np.int16]]:
        return np.full(round(seconds * RATE_HZ), level, dtype=np.int16)

    words = [stretch(1, 9000), stretch(0.2, 0), stretch(1, 9000), stretch(1, 0), stretch(1, 9000)]
    assert silent_from(np.concatenate(words), 0.5) == pytest.approx(2.2, abs=0.02)
    assert silent_from(np.concatenate(words[:3]), 0.5) == pytest.approx(2.2, abs=0.02)
    assert silent_from(np.concatenate(words[3:4]), 0.5) == pytest.approx(0.5, abs=0.02)
