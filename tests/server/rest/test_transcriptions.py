"""Transcriptions and translations on scripted engines: windows, forms of answers, priorities."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engines.batcher import Priority
from engines.llm import Forget
from engines.stt import SpokenWord, SttRequest
from server.rest.recognition import Piece, segments_of
from server.rest.transcripts import srt, vtt
from tests.fakes import Stage, transcript
from tests.server.rest.door import client_of, form, instant, loud, quiet, server_on, wav

TALK = wav(np.concatenate([loud(1), quiet(2), loud(1), quiet(2)]))


def in_turn(*texts: str) -> Callable[[SttRequest], str]:
    """What is heard in one window after the other."""
    waiting = iter(texts)
    return lambda request: next(waiting)


async def transcribed(stage: Stage, **fields: str) -> Any:
    """The answer, as JSON where it is."""
    async with client_of(server_on(stage)) as client:
        response = await client.post("/v1/audio/transcriptions", data=form(TALK, **fields))
        assert response.status == 200
        is_json = response.content_type == "application/json"
        return await (response.json() if is_json else response.text())


async def test_every_window_is_transcribed_after_all_calls() -> None:
    stage = instant(heard=in_turn("Good morning.", "How are you?"))
    assert await transcribed(stage) == {
        "text": "Good morning. How are you?",
        "usage": {"type": "duration", "seconds": 6.0},
    }
    assert [job.priority for job in stage.stt.jobs] == [Priority.OFFLINE] * 2


async def test_a_language_is_taken_at_its_word() -> None:
    stage = instant(heard="Hola.")
    await transcribed(stage, language="es")
    assert {job.request.language for job in stage.stt.jobs} == {"es"}


@pytest.mark.parametrize(
    "fields",
    [
        {"chunking_strategy": "auto"},
        {"chunking_strategy[type]": "server_vad", "chunking_strategy[threshold]": "0.5"},
    ],
)
async def test_a_chunking_strategy_has_no_effect(fields: dict[str, str]) -> None:
    assert (await transcribed(instant(heard="Yes."), **fields))["text"] == "Yes. Yes."


async def test_silence_is_an_empty_transcript() -> None:
    stage = instant()
    async with client_of(server_on(stage)) as client:
        data = form(wav(quiet(3)))
        response = await client.post("/v1/audio/transcriptions", data=data)
        assert (await response.json())["text"] == ""
    assert not stage.stt.jobs


async def test_plain_text_is_a_line() -> None:
    assert await transcribed(instant(heard="Yes."), response_format="text") == "Yes. Yes.\n"


async def test_verbose_json_has_segments_and_words() -> None:
    stage = instant(heard="Good day.")
    verbose = await transcribed(stage, response_format="verbose_json")
    assert verbose["language"] == "english"
    assert verbose["duration"] == 6.0
    assert [segment["text"] for segment in verbose["segments"]] == ["Good day.", "Good day."]
    assert verbose["segments"][1]["start"] == pytest.approx(2.7, abs=0.1)
    assert "words" not in verbose
    assert all(job.request.word_times for job in stage.stt.jobs)


async def test_a_stream_gives_each_window_and_then_all() -> None:
    stage = instant(heard=in_turn("Good morning.", "How are you?"))
    body = await transcribed(stage, stream="true")
    events = [json.loads(line.removeprefix("data: ")) for line in body.split("\n\n") if line]
    assert [event["type"] for event in events] == [
        "transcript.text.delta",
        "transcript.text.delta",
        "transcript.text.done",
    ]
    deltas = [event["delta"] for event in events[:2]]
    assert "".join(deltas) == events[2]["text"] == "Good morning. How are you?"


async def test_a_stream_of_subtitles_is_refused() -> None:
    async with client_of(server_on(instant())) as client:
        data = form(TALK, stream="true", response_format="srt")
        response = await client.post("/v1/audio/transcriptions", data=data)
        assert response.status == 400
        assert (await response.json())["error"]["param"] == "response_format"


def word(text: str, start: float, end: float) -> SpokenWord:
    return SpokenWord(text, start, end)


def piece(*words: SpokenWord) -> Piece:
    text = " ".join(each.text for each in words)
    return Piece(replace(transcript(text), words=words), words, 10.0, 30.0)


def test_segments_end_with_sentences_in_pauses_and_before_they_are_too_long() -> None:
    words = [
        word("Yes.", 10.0, 10.4),
        word("I", 10.4, 10.5),
        word("think", 10.5, 11.0),
        word("so", 12.0, 12.2),
        *(word("and", 12.2 + n, 13.2 + n) for n in range(8)),
    ]
    texts = [segment.text for segment in segments_of(piece(*words))]
    assert texts == ["Yes.", "I think", "so and and and and and and", "and and"]


def test_without_word_times_a_window_is_a_segment() -> None:
    (only,) = segments_of(Piece(transcript("All of it."), (), 1.0, 4.0))
    assert (only.text, only.start_seconds, only.end_seconds) == ("All of it.", 1.0, 4.0)


def test_subtitles() -> None:
    segments = segments_of(piece(word("a<b.", 3661.5, 3662.0), word("Yes.", 3662.0, 3663.0004)))
    assert srt(segments) == (
        "1\n01:01:01,500 --> 01:01:02,000\na<b.\n\n2\n01:01:02,000 --> 01:01:03,000\nYes.\n\n"
    )
    assert vtt(segments).startswith("WEBVTT\n\n01:01:01.500 --> 01:01:02.000\na&lt;b.\n\n")


async def translated(stage: Stage) -> tuple[int, Any]:
    """Status and answer."""
    async with client_of(server_on(stage)) as client:
        response = await client.post("/v1/audio/translations", data=form(wav(loud(1))))
        return response.status, await response.json()


async def test_a_translation_is_made_by_the_model_after_all_calls() -> None:
    stage = instant(heard="Buenos días.", language="es", answer=("Good ", "morning."))
    status, answer = await translated(stage)
    assert (status, answer["text"]) == (200, "Good morning.")
    assert {job.priority for job in stage.llm.jobs} == {Priority.OFFLINE}
    assert isinstance(stage.llm.jobs[-1].request, Forget)
    assert not stage.open_jobs


async def test_a_recognizer_that_translates_needs_no_model() -> None:
    stage = instant(heard="Buenos días.", language="es")
    original = stage.stt.script

    def translating(request: SttRequest) -> list[tuple[float, Any]]:
        ((delay, heard),) = original(request)
        return [(delay, replace(heard, translation="Good morning."))]

    stage.stt.script = translating
    assert (await translated(stage))[1]["text"] == "Good morning."
    assert not stage.prompts


async def test_english_stays_as_it_is() -> None:
    stage = instant(heard="Good morning.")
    assert (await translated(stage))[1]["text"] == "Good morning."
    assert not stage.prompts


async def test_a_translation_that_loses_a_number_is_none() -> None:
    stage = instant(heard="Tengo 25 años.", language="es", answer=("I am old.",))
    status, answer = await translated(stage)
    assert status == 422
    assert answer["error"]["code"] == "translation_failed"
    assert "Spanish" in answer["error"]["message"]
