"""An answer is right when nothing of the domain sounds more like it."""

import wave
from pathlib import Path

import pytest

from benchmarks.peers.correctness import Judge, expected_answers, words
from benchmarks.peers.load import INTENTS
from benchmarks.peers.systems import STARTER
from benchmarks.results import Exchange
from benchmarks.utterances import utterances
from evaluation.caller import RATE_HZ
from evaluation.speech import synthesize

ASKED = Exchange(0, 0, "en", "What is the capital of France?")


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge(STARTER / "stt")


def _spoken(text: str, folder: Path) -> Path:
    path = folder / "answer.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(synthesize(text, "en", RATE_HZ).tobytes())
    return path


def test_the_domains_answer_is_right(judge: Judge, tmp_path: Path) -> None:
    assert judge.is_right(ASKED, _spoken("The capital of France is Paris.", tmp_path))


@pytest.mark.parametrize("said", ["The capital of Spain is Madrid.", "You are welcome!"])
def test_another_answer_is_wrong(judge: Judge, tmp_path: Path, said: str) -> None:
    assert not judge.is_right(ASKED, _spoken(said, tmp_path))


def test_a_word_misheard_does_not_make_it_another_answer(judge: Judge) -> None:
    assert judge.nearest("The capital of France is Texas.") == "The capital of France is Paris."


def test_everything_that_callers_say_has_an_answer_of_one_turn() -> None:
    answers = expected_answers()
    for one in utterances(("en",), intents=INTENTS)["en"]:
        assert words(answers[one.text])


def test_words_are_compared_without_signs_and_capitals() -> None:
    assert words("Hello! How can I help?") == ["hello", "how", "can", "i", "help"]
