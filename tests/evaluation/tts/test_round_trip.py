"""Voices spoken and heard again: the starter models, one text."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engines.batcher import Job
from engines.config import SttConfig, TtsConfig
from engines.stt import Transcript
from engines.tts import SpeechChunk
from evaluation.data.layout import Clip, Dataset
from evaluation.normalisers import normalise
from evaluation.results import Results
from evaluation.tts import round_trip
from evaluation.tts.round_trip import measure, plan
from evaluation.tts.summary import summarise
from server.config import Config, ConversationConfig
from tests.fakes import transcript

TEXT = "Good morning!"


def clip(number: int, text: str, language: str) -> Clip:
    return Clip(str(number), "", text, language, "", 1.0, "", "")


DATASET = Dataset(
    Path("set"),
    (clip(0, TEXT, "en"), clip(1, TEXT, "en"), clip(2, "", ""), clip(3, "Two days.", "en")),
)


def test_each_text_once_in_every_voice_of_its_language() -> None:
    jobs = plan([DATASET], Config(), per_language=5)
    assert [(job.voice, job.text) for job in jobs] == [
        ("starter-en", TEXT),
        ("starter-en", "Two days."),
        ("espeak", TEXT),
        ("espeak", "Two days."),
    ]
    assert len(plan([DATASET], Config(), per_language=1)) == 2


@pytest.mark.timeout(120)
async def test_the_starter_voice_is_understood(tmp_path: Path) -> None:
    jobs = plan([DATASET], Config(), per_language=1)
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
    jobs = plan([DATASET], Config(), per_language=1)
    results = Results(tmp_path / "tts.jsonl", "now")
    without_starter = TtsConfig(voices=())
    (problem,) = await measure(jobs, without_starter, SttConfig(), results)
    assert "No voice of 'en' is named 'starter-en'" in problem
    assert [record["voice"] for record in results.records] == ["espeak"]


class _Scripted:
    """Answers every request with one result, and keeps the requests."""

    max_batch = 1

    def __init__(self, result: SpeechChunk | Transcript) -> None:
        self.requests: list[Any] = []
        self._result = result

    def load(self) -> None:
        pass

    def start(self, job: Job[Any, Any]) -> bool:
        self.requests.append(job.request)
        return True

    def step(self, jobs: Sequence[Job[Any, Any]]) -> None:
        for job in jobs:
            job.emit(self._result)
            job.finish()

    def stop(self, job: Job[Any, Any]) -> None:
        pass

    def assert_idle(self) -> None:
        pass


@pytest.mark.parametrize(
    ("language", "region", "text", "said", "heard"),
    [
        ("en", "en_US", "1,250 at 9:30 AM.", "one thousand two hundred fifty", "1250 at 9:30 am"),
        ("tl", "tl_PH", "₱500 po.", "limang daang piso po.", "₱500 po"),
        ("es", "es_MX", "Cuesta 1,250 pesos.", "mil doscientos cincuenta pesos", "1,250 pesos"),
    ],
)
async def test_a_voice_is_given_the_words_that_callers_hear(
    language: str,
    region: str,
    text: str,
    said: str,
    heard: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    voice = _Scripted(SpeechChunk(np.full(1600, 1000, np.int16), 16_000))
    judge = _Scripted(transcript(heard))
    monkeypatch.setattr(round_trip, "TtsEngine", lambda _: voice)
    monkeypatch.setattr(round_trip, "SttEngine", lambda _: judge)
    config = Config(conversation=ConversationConfig(regions=(region,)))
    dataset = Dataset(Path("set"), (clip(0, text, language),))
    results = Results(tmp_path / "tts.jsonl", "now")
    assert await measure(plan([dataset], config, 1)[:1], TtsConfig(), SttConfig(), results) == []
    (request,), (record,) = voice.requests, results.records
    assert said in request.text
    assert record["said"] == request.text
    assert record["text"] == text
    written = [normalise(record[side], language) for side in ("said", "heard")]
    assert written[1] in written[0]
