"""When words are over: by the frames of a voice's graph, by eSpeak's events, by their sounds."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engines.config import STARTER
from engines.tts.alignment import Alignment, ends_by_durations, ends_by_number
from engines.tts.espeak import EspeakVoice
from engines.tts.piper import PiperFiles, PiperVoice, open_piper_model
from engines.tts.voice import Mark, Samples, Voice, word_ends

MODEL = STARTER / "tts" / "starter.onnx"


@pytest.fixture(scope="module")
def voices() -> dict[str, Voice]:
    model = open_piper_model(MODEL, "cpu")
    files = PiperFiles.find(str(MODEL), "en")
    return {"piper": PiperVoice(files, model, "en", "en"), "espeak": EspeakVoice("en")}


def spoken(voice: Voice, text: str) -> tuple[list[Mark], list[Samples], float]:
    items = list(voice.speak(text, 1.0))
    marks = [item for item in items if isinstance(item, Mark)]
    audio = [item for item in items if not isinstance(item, Mark)]
    return marks, audio, sum(map(len, audio)) / voice.rate_hz


@pytest.mark.parametrize("name", ["piper", "espeak"])
def test_every_word_is_over_in_its_turn(voices: dict[str, Voice], name: str) -> None:
    text = "The capital of France is Paris, thank you. Ask me extraordinarily long questions."
    marks, _, seconds = spoken(voices[name], text)
    assert [mark.seconds for mark in marks] == sorted(mark.seconds for mark in marks)
    assert [mark.characters for mark in marks] == sorted(mark.characters for mark in marks)
    ends = {place for place, letter in enumerate(f"{text} ") if letter == " "}
    assert {mark.characters for mark in marks} <= ends
    assert marks[-1].characters == len(text)
    assert 0.7 * seconds < marks[-1].seconds <= seconds


@pytest.mark.parametrize("name", ["piper", "espeak"])
def test_a_long_word_takes_longer_than_a_short_one(voices: dict[str, Voice], name: str) -> None:
    marks, _, _ = spoken(voices[name], "No extraordinarily no")
    first, second, third = (mark.seconds for mark in marks)
    assert second - first > 2 * first
    assert second - first > 2 * (third - second) * 0.8


def test_a_voice_stops_speaking_where_its_mark_says(voices: dict[str, Voice]) -> None:
    """Between two sentences is silence, and the first one's last word is over at its beginning."""
    marks, audio, _ = spoken(voices["piper"], "Hello there. Goodbye.")
    samples = np.concatenate(audio).astype(np.float64)
    there = marks[1]
    assert there.characters == len("Hello there.")
    rate_hz = voices["piper"].rate_hz
    level = [
        float(np.sqrt(np.mean(samples[round(at * rate_hz) :][: round(0.05 * rate_hz)] ** 2)))
        for at in (there.seconds - 0.12, there.seconds + 0.04)
    ]
    assert level[0] > 4 * level[1]


def test_the_words_of_a_text_and_as_they_are_pronounced() -> None:
    assert word_ends("one two three", [2, 2, 3]) == [3, 7, 13]
    assert word_ends("two of the three", [2, 4, 3]) == [0, 10, 16]  # "of the" is one
    assert word_ends("€ 20", [3, 3]) == [0, 4]  # "twenty euros"
    assert word_ends("", []) == []


def test_phonemes_are_over_when_their_pads_are() -> None:
    ids = {"a": [5], "b": [6, 7]}
    # beginning, pad, a, pad, b, b, pad, end
    ends = np.array([10, 20, 30, 40, 50, 60, 70, 80])
    assert ends_by_durations(["a", "b"], ids, ends) == [40, 70]
    assert ends_by_durations(["a", "b"], ids, ends[:5]) == [20, 40]  # without pads
    assert ends_by_durations(["a", "b"], ids, ends[:4]) == [20, 40]  # of something else
    assert ends_by_number(["a", "b", "a", "b"], 400) == [100, 200, 300, 400]


def test_a_passage_knows_where_it_begins() -> None:
    alignment = Alignment(10, "Go on. Now", [["g", "o", " ", "o", "n", "."], ["n", "a", "w"]])
    assert list(alignment.marks(0, [1, 2, 3, 4, 5, 6])) == [Mark(12, 2.0), Mark(16, 5.0)]
    assert list(alignment.marks(1, [7, 8, 9])) == [Mark(20, 9.0)]


def test_a_graph_without_durations_is_spoken_all_the_same(tmp_path: Path) -> None:
    class Bare:
        device = "cpu"

        def speak(self, *arguments: object) -> Iterator[np.ndarray]:
            yield np.zeros(400, np.float32)
            yield np.zeros(400, np.float32)

    voice = PiperVoice(PiperFiles.find(str(MODEL), "en"), Bare(), "en", "en")
    marks, audio, seconds = spoken(voice, "One two")
    assert len(audio) == 2
    assert [mark.characters for mark in marks] == [3, 7]
    assert 0 < marks[0].seconds < marks[1].seconds <= seconds
