"""The callers against an agent that answers a moment after it hears silence."""

import asyncio
import random
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

from benchmarks.peers import load
from benchmarks.peers.wires import WIRES
from benchmarks.results import Exchange
from benchmarks.utterances import Utterance
from evaluation.caller import RATE_HZ
from evaluation.recording import Pcm

BEEP: Pcm = np.full(RATE_HZ // 5, 3000, np.int16)
SAID = Utterance("en", "Hello!", np.full(RATE_HZ // 4, 5000, np.int16))
UTTERANCES = web.AppKey("UTTERANCES", list[str])  # that the agent has heard


async def _agent(request: web.Request) -> web.WebSocketResponse:
    """Half a beep for who has spoken and is silent, "interrupt" for who speaks."""
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    has_spoken, hesitates = False, request.path == "/hesitates"
    async for message in socket:
        assert message.type is WSMsgType.BINARY
        is_loud = bool(np.frombuffer(message.data, "<i2").any())
        if is_loud and not has_spoken:
            request.app[UTTERANCES].append(request.path)
            await socket.send_str("interrupt")
            if request.path == "/rash":
                await socket.send_bytes(BEEP.tobytes())
        elif has_spoken and not is_loud and request.path != "/mute":
            await socket.send_bytes(BEEP.tobytes())
            if hesitates:
                await asyncio.sleep(0.5)  # later than the beep lasts
                await socket.send_bytes(BEEP.tobytes())
        has_spoken = is_loud
    return socket


@pytest.fixture
async def agent() -> AsyncIterator[TestServer]:
    app = web.Application()
    app[UTTERANCES] = []
    app.router.add_get("/{kind}", _agent)
    server = TestServer(app)
    async with server:
        yield server


async def _call(agent: TestServer, kind: str, turns: int, recordings: Path) -> list[Exchange]:
    url = str(agent.make_url(f"/{kind}"))
    talker = load.Talker(
        0, [SAID], random.Random(0), load.Plan(WIRES["pcm"], (url,), turns, recordings)
    )
    await talker.run(0.0)
    assert talker.failure == ""
    return talker.exchanges


async def _turn(agent: TestServer, kind: str, recordings: Path) -> Exchange:
    (exchange,) = await _call(agent, kind, 1, recordings)
    return exchange


async def test_the_first_turn_of_a_call_is_not_counted(agent: TestServer, tmp_path: Path) -> None:
    exchanges = await _call(agent, "prompt", 2, tmp_path)
    assert [one.turn for one in exchanges] == [0, 1]
    assert len(agent.app[UTTERANCES]) == 3


async def test_an_answer_is_timed_and_recorded_by_the_callers_ear(
    agent: TestServer, tmp_path: Path
) -> None:
    exchange = await _turn(agent, "prompt", tmp_path)
    assert (exchange.said, exchange.problem, exchange.dry_seconds) == ("Hello!", "", 0.0)
    assert exchange.voice_to_voice_ms is not None
    assert exchange.answer_seconds == pytest.approx(0.2, abs=0.01)
    with wave.open(str(tmp_path / "0-0.wav"), "rb") as file:
        assert file.getframerate() == RATE_HZ
        heard = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    assert np.count_nonzero(heard) == len(BEEP)


async def test_a_gap_within_an_answer_is_dry(agent: TestServer, tmp_path: Path) -> None:
    exchange = await _turn(agent, "hesitates", tmp_path)
    assert exchange.dry_seconds == pytest.approx(0.3, abs=0.15)


async def test_what_is_said_into_the_callers_words_is_no_answer(
    agent: TestServer, tmp_path: Path
) -> None:
    exchange = await _turn(agent, "rash", tmp_path)
    assert exchange.problem == "something was said while the caller spoke"
    assert exchange.voice_to_voice_ms is None


async def test_an_agent_that_stays_silent(
    agent: TestServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "ANSWER_SECONDS", 0.5)
    exchange = await _turn(agent, "mute", tmp_path)
    assert exchange.problem == "no answer was heard"


async def test_a_line_that_is_refused_is_the_calls_failure(tmp_path: Path) -> None:
    plan = load.Plan(WIRES["pcm"], ("ws://127.0.0.1:1/call",), 1, tmp_path)
    talker = load.Talker(0, [SAID], random.Random(0), plan)
    await talker.run(0.0)
    assert "cannot call ws://127.0.0.1:1/call" in talker.failure
