"""An answer is right when nothing of the domain sounds more like it."""

import wave
from pathlib import Path

import numpy as np
import pytest
from piper import PiperVoice

from benchmarks.peers.correctness import Judge, expected_answers, words
from benchmarks.peers.load import INTENTS, SEED
from benchmarks.peers.systems import STARTER
from benchmarks.results import Exchange
from benchmarks.utterances import Utterance, utterances
from evaluation.caller import RATE_HZ
from evaluation.recording import Pcm
from evaluation.speech import synthesize
from server.audio import int16_from_samples, samples_from_int16
from server.resampling import resample

ASKED = Exchange(0, 0, "en", "What is the capital of France?")


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge(STARTER / "stt")


@pytest.fixture(scope="module")
def voice() -> PiperVoice:
    """The starter voice, with which all systems answer."""
    tts = STARTER / "tts"
    return PiperVoice.load(tts / "starter.onnx", tts / "starter.en.onnx.json")


def _callers_say() -> list[Utterance]:
    return utterances(("en",), intents=INTENTS, seed=SEED)["en"]


def _spoken(text: str, folder: Path) -> Path:
    return _recorded(synthesize(text, "en", RATE_HZ), folder)


def _recorded(samples: Pcm, folder: Path) -> Path:
    path = folder / "answer.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples.tobytes())
    return path


def test_the_domains_answer_is_right(judge: Judge, tmp_path: Path) -> None:
    assert judge.is_right(ASKED, _spoken("The capital of France is Paris.", tmp_path))


@pytest.mark.parametrize("said", ["The capital of Spain is Madrid.", "You are welcome!"])
def test_another_answer_is_wrong(judge: Judge, tmp_path: Path, said: str) -> None:
    assert not judge.is_right(ASKED, _spoken(said, tmp_path))


def test_a_word_misheard_does_not_make_it_another_answer(judge: Judge) -> None:
    assert judge.nearest("The capital of France is Texas.") == "The capital of France is Paris."


def test_every_answer_that_callers_get_is_heard_rightly(
    judge: Judge, voice: PiperVoice, tmp_path: Path
) -> None:
    answers = expected_answers()
    for said in _callers_say() * 4:  # the voice says nothing twice alike
        chunks = [chunk.audio_int16_array for chunk in voice.synthesize(answers[said.text])]
        speech = samples_from_int16(np.concatenate(chunks))
        line = int16_from_samples(resample(speech, voice.config.sample_rate, RATE_HZ))
        asked = Exchange(0, 0, "en", said.text)
        assert judge.is_right(asked, _recorded(line, tmp_path)), said.text


def test_words_are_compared_without_signs_and_capitals() -> None:
    assert words("Hello! How can I help?") == ["hello", "how", "can", "i", "help"]
