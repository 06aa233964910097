"""The REST door on scripted engines, and what tests send to it."""

import asyncio
import io
import threading
import wave
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from aiohttp import FormData, web
from aiohttp.test_utils import TestClient, TestServer

from server.app import Server
from server.config import Config, RestConfig, ServerConfig
from tests.fakes import Stage

Client = TestClient[web.Request, web.Application]
KEY = "a-key-of-sixteen-characters"


def instant(**settings: Any) -> Stage:
    """Engines that take no time."""
    return Stage(stt_seconds=0, token_seconds=0, prefill_seconds=0, tts_seconds=0, **settings)


def server_on(stage: Stage, rest: RestConfig | None = None, **settings: Any) -> Server:
    """A server with these engines."""
    config = replace(Config(), server=ServerConfig(**settings), rest=rest or RestConfig())
    return Server(config, stage.engines)


@asynccontextmanager
async def client_of(server: Server) -> AsyncIterator[Client]:
    """A client of a server that really listens."""
    async with TestClient(TestServer(server.application())) as client:
        yield client


def wav(samples: npt.NDArray[np.int16], rate_hz: int = 16_000) -> bytes:
    """int16[n] as a file."""
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(samples.tobytes())
    return data.getvalue()


def loud(seconds: float) -> npt.NDArray[np.int16]:
    """What the scripted VAD takes for speech."""
    return np.full(int(16_000 * seconds), 16_000, dtype=np.int16)


def quiet(seconds: float) -> npt.NDArray[np.int16]:
    """What it takes for silence."""
    return np.zeros(int(16_000 * seconds), dtype=np.int16)


def form(file: bytes | None, **fields: str) -> FormData:
    """A form with an audio file."""
    data = FormData(default_to_multipart=True)
    if file is not None:
        data.add_field("file", io.BytesIO(file), filename="audio.wav", content_type="audio/wav")
    for name, value in fields.items():
        data.add_field(name, value)
    return data


@contextmanager
def served(server: Server) -> Iterator[str]:
    """The server's address; it runs on a thread of its own, for clients that block."""
    loop = asyncio.new_event_loop()
    runner = server.runner()

    async def start() -> str:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    thread = threading.Thread(target=loop.run_forever, name="served")
    thread.start()
    try:
        yield asyncio.run_coroutine_threadsafe(start(), loop).result(10)
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
