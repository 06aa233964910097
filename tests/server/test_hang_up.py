"""A caller who hangs up, over a real socket and with a real language model behind it."""

import asyncio
import json
import logging
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from engines.batcher import Batcher
from engines.config import LlmConfig
from engines.llm import LlmEngine
from server.app import Server
from server.config import Config
from tests.fakes import Stage

HELLO = {
    "type": "message",
    "role": "user",
    "content": [{"type": "input_text", "text": "Hello."}],
}


async def ask_and_hang_up(url: str) -> None:
    async with aiohttp.ClientSession() as http, http.ws_connect(url) as socket:
        for event in (
            {"type": "session.update", "session": {"output_modalities": ["text"]}},
            {"type": "conversation.item.create", "item": HELLO},
            {"type": "response.create"},
        ):
            await socket.send_str(json.dumps(event))
        async with asyncio.timeout(20):
            while json.loads(await socket.receive_str())["type"] != "response.done":
                pass
        await asyncio.sleep(0.1)  # nothing is in work any more


async def until_idle(batcher: Batcher[Any, Any]) -> None:
    """What was posted is done by now: the last to be forgotten, too."""
    async with asyncio.timeout(10):
        while batcher.pending:  # noqa: ASYNC110  (a thread brings it about: there is no event)
            await asyncio.sleep(0.01)


async def test_the_model_remembers_nothing_of_who_has_hung_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    stage: Any = Stage()
    engine = LlmEngine(LlmConfig())
    async with Batcher("llm", engine) as stage.llm:
        runner = Server(Config(), stage).runner()
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        for _ in range(3):
            await ask_and_hang_up(f"http://127.0.0.1:{runner.addresses[0][1]}/v1/realtime")
        await runner.cleanup()
        await until_idle(stage.llm)
    assert not engine._cache.sequences
    assert [r.message for r in caplog.records].count("call ends") == 3
