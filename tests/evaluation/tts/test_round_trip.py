"""Voices spoken and heard again: the starter models, one text."""

from pathlib import Path

import pytest

from engines.config import SttConfig, TtsConfig
from evaluation.data.layout import Clip, Dataset
from evaluation.results import Results
from evaluation.tts.round_trip import measure, plan
from evaluation.tts.summary import summarise

TEXT = "Good morning!"


def clip(number: int, text: str, language: str) -> Clip:
    return Clip(str(number), "", text, language, "", 1.0, "", "")


DATASET = Dataset(
    Path("set"),
    (clip(0, TEXT, "en"), clip(1, TEXT, "en"), clip(2, "", ""), clip(3, "Two days.", "en")),
)


def test_each_text_once_in_every_voice_of_its_language() -> None:
    jobs = plan([DATASET], TtsConfig(), per_language=5)
    assert [(job.voice, job.text) for job in jobs] == [
        ("starter-en", TEXT),
        ("starter-en", "Two days."),
        ("espeak", TEXT),
        ("espeak", "Two days."),
    ]
    assert len(plan([DATASET], TtsConfig(), per_language=1)) == 2


@pytest.mark.timeout(120)
async def test_the_starter_voice_is_understood(tmp_path: Path) -> None:
    jobs = plan([DATASET], TtsConfig(), per_language=1)
    results = Results(tmp_path / "tts.jsonl", "now")
    assert await measure(jobs, TtsConfig(), SttConfig(), results) == []
    assert [record["heard"] for record in results.records] == [TEXT, TEXT]
    for record in results.records:
        assert 0 < record["first_audio_seconds"] <= record["seconds"]
        assert record["faults"] == ()
        assert record["audio_seconds"] > 0.3
    part = summarise(results.records, "starter", is_own=True)
    figures = {figure.name: figure.value for figure in part.figures}
    assert figures["tts.wer.starter.en"] == figures["tts.wer.espeak.en"] == 0.0
    assert figures["tts.faults.starter.en"] == 0
    assert "pipeline's own" in part.sections[0].about
    other = summarise(results.records, "other", is_own=False)
    assert "pipeline's own" not in other.sections[0].about


async def test_a_voice_that_fails_is_said_and_the_others_go_on(tmp_path: Path) -> None:
    jobs = plan([DATASET], TtsConfig(), per_language=1)
    results = Results(tmp_path / "tts.jsonl", "now")
    without_starter = TtsConfig(voices=())
    (problem,) = await measure(jobs, without_starter, SttConfig(), results)
    assert "No voice of 'en' is named 'starter-en'" in problem
    assert [record["voice"] for record in results.records] == ["espeak"]
