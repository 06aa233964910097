"""`/v1/audio/speech` on scripted engines: files and events, voices and languages."""

import base64
import io
import json
from collections.abc import Sequence
from itertools import count
from typing import Any

import aiohttp
import av
import pytest

from engines.batcher import Priority
from engines.errors import EngineError
from tests.fakes import Script, Stage
from tests.server.rest.door import Client, client_of, instant, server_on


async def speak(client: Client, **body: Any) -> bytes:
    response = await client.post("/v1/audio/speech", json={"input": "Hello there.", **body})
    assert response.status == 200, await response.text()
    return await response.read()


def seconds_of(data: bytes) -> float:
    with av.open(io.BytesIO(data), "r") as file:
        return sum(frame.samples / frame.sample_rate for frame in file.decode(audio=0))


@pytest.mark.parametrize("name", ["mp3", "opus", "aac", "flac", "wav"])
async def test_a_file_of_each_format_is_as_long_as_the_speech(name: str) -> None:
    stage = instant()
    async with client_of(server_on(stage)) as client:
        data = await speak(client, response_format=name)
    assert seconds_of(data) == pytest.approx(12 * 0.06, abs=0.12)
    assert [job.priority for job in stage.tts.jobs] == [Priority.OFFLINE]


async def test_events_hold_the_file_in_parts() -> None:
    async with client_of(server_on(instant())) as client:
        whole = await speak(client, response_format="pcm")
        body = (await speak(client, response_format="pcm", stream_format="sse")).decode()
    events = [json.loads(line.removeprefix("data: ")) for line in body.split("\n\n") if line]
    assert [event["type"] for event in events[-2:]] == ["speech.audio.delta", "speech.audio.done"]
    assert b"".join(base64.b64decode(event["audio"]) for event in events[:-1]) == whole


@pytest.mark.parametrize(
    ("body", "language", "voice"),
    [
        ({"voice": "alloy"}, "en", ""),
        ({"voice": "alloy", "input": "¿Cómo te llamas y de dónde eres?"}, "es", ""),
        ({"voice": "alloy", "input": "मेरा नाम मारिया है।"}, "hi", ""),
        ({"voice": "alloy", "language": "tl"}, "tl", ""),
        ({"voice": "starter-fr"}, "fr", "starter-fr"),
        ({"voice": {"id": "starter-fr"}}, "fr", "starter-fr"),
        ({"voice": "espeak", "language": "fr"}, "fr", "espeak"),
        ({}, "en", ""),
    ],
)
async def test_who_speaks_and_in_which_language(
    body: dict[str, Any], language: str, voice: str
) -> None:
    stage = instant()
    async with client_of(server_on(stage)) as client:
        await speak(client, **body)
    (job,) = stage.tts.jobs
    assert (job.request.language, job.request.voice) == (language, voice)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"voice": "nobody"}, "voice"),
        ({"voice": "starter-fr", "language": "es"}, "voice"),
        ({"language": "xx"}, "language"),
        ({"input": ""}, "input"),
        ({"input": "x" * 4097}, "input"),
        ({"input": "…"}, "input"),
        ({"speed": 4.1}, "speed"),
        ({"response_format": "midi"}, "response_format"),
    ],
)
async def test_what_cannot_be_spoken_is_refused(body: dict[str, Any], param: str) -> None:
    stage = instant()
    async with client_of(server_on(stage)) as client:
        response = await client.post("/v1/audio/speech", json={"input": "Hello.", **body})
        assert response.status == 400
        assert (await response.json())["error"]["param"] == param
    assert not stage.tts.jobs


async def test_a_voice_that_fails_is_told() -> None:
    stage: Stage = instant(tts_error=RuntimeError("broken"))
    async with client_of(server_on(stage)) as client:
        response = await client.post("/v1/audio/speech", json={"input": "Hello."})
        assert response.status == 500
    assert not stage.open_jobs


async def test_a_file_that_breaks_off_does_not_seem_whole() -> None:
    stage = instant()
    async with client_of(server_on(stage)) as client:
        stage.tts.script = break_off(stage.tts.script)
        body = {"input": "One sentence. Another sentence.", "response_format": "wav"}
        response = await client.post("/v1/audio/speech", json=body)
        assert response.status == 200
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()
    assert not stage.open_jobs


def break_off(script: Script) -> Script:
    """The first sentence is spoken; the voice fails in the second."""
    requests = count()

    def broken(request: Any) -> Sequence[tuple[float, Any]]:
        return script(request) if next(requests) == 0 else [(0.0, EngineError("tts failed."))]

    return broken
