"""An answer is right when it sounds like the domain's, word for word."""

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


def test_another_capital_is_wrong(judge: Judge, tmp_path: Path) -> None:
    assert not judge.is_right(ASKED, _spoken("The capital of France is Madrid.", tmp_path))


def test_everything_that_callers_say_has_an_answer_of_one_turn() -> None:
    answers = expected_answers()
    for one in utterances(("en",), intents=INTENTS)["en"]:
        assert words(answers[one.text])


def test_words_are_compared_without_signs_and_capitals() -> None:
    assert words("Hello! How can I help?") == ["hello", "how", "can", "i", "help"]
