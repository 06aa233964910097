"""Nothing blocks the event loop: a spoken conversation on real engines, every callback timed."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from evaluation.caller import RATE_HZ, call
from evaluation.speech import synthesize
from server.app import Server
from server.config import Config, ConversationConfig
from tests.real_engines import small_engines

LIMIT_SECONDS = 0.05


class Stopwatch:
    """The processor time of every callback of the loop's thread; other threads do not count, so
    that a busy machine does not fail the test."""

    def __init__(self) -> None:
        self.longest_seconds = 0.0
        self.slowest = ""

    def timed(self, run: Callable[[Any], None]) -> Callable[[Any], None]:
        def timed_run(handle: Any) -> None:
            begun = time.thread_time()
            run(handle)
            seconds = time.thread_time() - begun
            if seconds > self.longest_seconds:
                self.longest_seconds, self.slowest = seconds, repr(handle)

        return timed_run


@pytest.fixture
def stopwatch(monkeypatch: pytest.MonkeyPatch) -> Stopwatch:
    watch = Stopwatch()
    handle: Any = asyncio.events.Handle
    monkeypatch.setattr(handle, "_run", watch.timed(handle._run))
    return watch


async def test_no_callback_holds_the_loop(
    tmp_path: Path,
    stopwatch: Stopwatch,
    aiohttp_client: Callable[
        [web.Application], Awaitable[TestClient[web.Request, web.Application]]
    ],
) -> None:
    config = replace(Config(), conversation=ConversationConfig(low_confidence=0.0))
    async with small_engines(tmp_path) as engines:
        client = await aiohttp_client(Server(config, engines).application())
        speech = await asyncio.to_thread(
            synthesize, "What is the capital of France?", "en", RATE_HZ
        )
        stopwatch.longest_seconds = 0.0
        async with call(str(client.make_url("/v1/realtime"))) as caller:
            for _ in range(2):
                spoken = caller.speak(speech, after_seconds=0.2)
                await caller.hear_answer(spoken.end_seconds, timeout_seconds=15)
        assert caller.received("response.done")
    assert stopwatch.longest_seconds < LIMIT_SECONDS, stopwatch.slowest


async def test_the_stopwatch_sees_a_callback_that_holds_the_loop(stopwatch: Stopwatch) -> None:
    async def hold() -> None:
        end_seconds = time.thread_time() + 2 * LIMIT_SECONDS
        while time.thread_time() < end_seconds:
            pass

    await asyncio.create_task(hold(), name="holds")
    assert stopwatch.longest_seconds > LIMIT_SECONDS
