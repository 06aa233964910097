"""What clients do wrong, against the real server: it is told, and nothing is lost.

One server lives through all of it; at the end it is healthy, holds no session, and takes a call.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import numpy as np

from evaluation.caller import RATE_HZ, call
from evaluation.recording import Pcm
from evaluation.server_process import RunningServer
from evaluation.speech import synthesize

Socket = aiohttp.ClientWebSocketResponse[Any]


@asynccontextmanager
async def connected(server: RunningServer) -> AsyncIterator[Socket]:
    async with aiohttp.ClientSession() as http, http.ws_connect(server.realtime_url) as socket:
        await until(socket, "session.created")
        yield socket


async def until(socket: Socket, kind: str, seconds: float = 30.0) -> list[dict[str, Any]]:
    """The events up to and with the first of a type."""
    events: list[dict[str, Any]] = []
    async with asyncio.timeout(seconds):
        while not events or events[-1]["type"] != kind:
            events.append(json.loads(await socket.receive_str()))
    return events


async def pour(socket: Socket, samples: Pcm, seconds: float = 1.0) -> None:
    """Send audio as fast as the server takes it."""
    step = int(seconds * RATE_HZ)
    for start in range(0, len(samples), step):
        audio = base64.b64encode(samples[start : start + step].tobytes()).decode()
        await socket.send_json({"type": "input_audio_buffer.append", "audio": audio})


async def echo(socket: Socket) -> list[dict[str, Any]]:
    """Everything that came until the server has worked through what was sent before."""
    await socket.send_json({"type": "session.update", "session": {}})
    return await until(socket, "session.updated", 60.0)


async def health(server: RunningServer) -> dict[str, Any]:
    async with aiohttp.ClientSession() as http, http.get(f"{server.http_url}/healthz") as response:
        assert response.status == 200
        body: dict[str, Any] = await response.json()
        return body


async def assert_takes_a_call(server: RunningServer) -> None:
    async with call(server.realtime_url) as caller:
        spoken = caller.speak(synthesize("Hello, my name is Maria.", "en", RATE_HZ))
        await caller.hear_answer(spoken.end_seconds, timeout_seconds=20)
    assert caller.received("response.done")[-1]["response"]["status"] == "completed"


async def test_silence_and_noise_give_nothing(running_server: RunningServer) -> None:
    noise = np.random.default_rng(7).normal(0, 1500, 8 * RATE_HZ).astype(np.int16)
    for sound in (np.zeros(8 * RATE_HZ, dtype=np.int16), noise):
        async with connected(running_server) as socket:
            await pour(socket, sound)
            events = await echo(socket)
        assert not [event for event in events if event["type"] == "response.created"]
        heard = [event.get("transcript", "") for event in events]
        assert not any(heard)


async def test_a_long_monologue_poured_in_at_once(running_server: RunningServer) -> None:
    sentence = synthesize("Hello, my name is Maria, and I need help.", "en", RATE_HZ)
    monologue = np.tile(sentence, 1 + 120 * RATE_HZ // len(sentence))
    async with connected(running_server) as socket:
        await pour(socket, monologue)
        events = await echo(socket)
        await socket.send_json({"type": "session.update", "session": {"instructions": "Hi."}})
        await until(socket, "session.updated")
    assert [event for event in events if event["type"] == "input_audio_buffer.committed"]
    await assert_takes_a_call(running_server)


async def test_an_unknown_language_and_a_frame_that_is_too_long(
    running_server: RunningServer,
) -> None:
    async with connected(running_server) as socket:
        transcription = {"audio": {"input": {"transcription": {"language": "xx"}}}}
        await socket.send_json({"type": "session.update", "session": transcription})
        error = (await until(socket, "error"))[-1]["error"]
        assert error["param"] == "session.audio.input.transcription.language"
        assert "en, es, fr, hi, tl" in error["message"]
        with suppress(ConnectionError):  # the server closes before it has read it all
            await socket.send_str("x" * (17 * 1024 * 1024))
        async with asyncio.timeout(20):
            while not socket.closed:
                await socket.receive()
    await assert_takes_a_call(running_server)


async def test_hanging_up_in_the_midst_of_a_turn(running_server: RunningServer) -> None:
    sentence = synthesize("What is the capital of France?", "en", RATE_HZ)
    for cut_seconds in (0.5, 1.5, 2.2, 2.6):
        async with connected(running_server) as socket:
            sound = np.concatenate([sentence, np.zeros(2 * RATE_HZ, dtype=np.int16)])
            await pour(socket, sound[: int(cut_seconds * RATE_HZ)], seconds=0.1)
    async with asyncio.timeout(10):
        while (await health(running_server))["sessions"]:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await assert_takes_a_call(running_server)
