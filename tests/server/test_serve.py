"""The life of the process: it serves until a signal, and ends with an error when an engine dies."""

import asyncio
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

import server.app
from engines.errors import ModelError
from engines.host import Engines
from server import logs
from server.__main__ import main
from server.app import serve
from server.config import Config, ServerConfig
from tests.fakes import Stage
from tests.server.rest.door import loud, wav

CONFIG = replace(Config(), server=ServerConfig(port=0))
CHAT = {"model": "tinig", "messages": [{"role": "user", "content": "Hi."}]}
Begin = Callable[[Callable[[BaseException], None]], None]


def engines_that(begin: Begin, stage: Any = None) -> Any:
    """In place of the real ones: `begin` is called with `on_death` once they run."""
    stage = stage or Stage()

    @asynccontextmanager
    async def running(*_: Any, on_death: Callable[[BaseException], None]) -> AsyncIterator[Engines]:
        stage.loaded = ()
        stage.languages = CONFIG.conversation.languages
        asyncio.get_running_loop().call_later(0.2, begin, on_death)
        yield stage

    return running


async def test_a_signal_ends_it_well(monkeypatch: pytest.MonkeyPatch) -> None:
    engines = engines_that(lambda _: os.kill(os.getpid(), signal.SIGTERM))
    monkeypatch.setattr(server.app, "running_engines", engines)
    assert await serve(CONFIG) == 0


@pytest.mark.parametrize("signals", [[signal.SIGTERM] * 2, [signal.SIGINT], [signal.SIGTERM]])
async def test_a_call_may_end_after_sigterm_for_so_long_and_if_nothing_else_is_asked(
    signals: list[signal.Signals], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The last: the call ends when it wants to, before its time."""
    caplog.set_level("INFO")
    monkeypatch.setattr(server.app, "running_engines", engines_that(lambda _: None))
    waits = len(signals) == 1 and signals[0] is signal.SIGTERM
    serving = asyncio.create_task(serve(with_drain(60.0)), name="serve")
    async with aiohttp.ClientSession() as http, await in_call(http, caplog) as call:
        os.kill(os.getpid(), signals[0])
        if len(signals) == 2 or waits:
            url = f"{url_of(caplog)}/readyz"
            async with http.get(url) as told:
                assert (told.status, await told.json()) == (503, {"status": "draining"})
            with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
                await http.ws_connect(f"{url_of(caplog)}/v1/realtime")
            assert not call.closed
            await call.send_json({"type": "input_audio_buffer.clear"})
            assert (await call.receive_json(timeout=5))["type"] == "input_audio_buffer.cleared"
        if len(signals) == 2:
            os.kill(os.getpid(), signals[1])
        if waits:
            await call.close()
        else:
            assert (await call.receive(timeout=5)).type is aiohttp.WSMsgType.CLOSE
        assert await serving == 0


async def test_a_call_that_goes_on_for_too_long_is_closed(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    monkeypatch.setattr(server.app, "running_engines", engines_that(lambda _: None))
    serving = asyncio.create_task(serve(with_drain(0.3)), name="serve")
    async with aiohttp.ClientSession() as http, await in_call(http, caplog) as call:
        os.kill(os.getpid(), signal.SIGTERM)
        message = await call.receive(timeout=5)
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1001)
        assert await serving == 0


async def test_a_request_may_end_after_sigterm(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    stage = Stage(token_seconds=0.2)
    monkeypatch.setattr(server.app, "running_engines", engines_that(lambda _: None, stage))
    serving = asyncio.create_task(serve(with_drain(60.0)), name="serve")
    async with aiohttp.ClientSession() as http:
        turn = asyncio.create_task(_turn(http, await ready(caplog)), name="turn")
        await until_asked(stage)
        os.kill(os.getpid(), signal.SIGTERM)
        assert await turn == (200, b"RIFF")
        assert await serving == 0


async def test_a_request_that_goes_on_for_too_long_is_broken_off(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    stage = Stage(token_seconds=60.0)
    monkeypatch.setattr(server.app, "running_engines", engines_that(lambda _: None, stage))
    serving = asyncio.create_task(serve(with_drain(0.3)), name="serve")
    async with aiohttp.ClientSession() as http:
        chat = asyncio.create_task(
            http.post(f"{await ready(caplog)}/v1/chat/completions", json=CHAT), name="chat"
        )
        await until_asked(stage)
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(20):
            assert await serving == 0
        with pytest.raises(aiohttp.ClientError):
            await chat


async def _turn(http: aiohttp.ClientSession, url: str) -> tuple[int, bytes]:
    headers = {"Content-Type": "audio/wav"}
    file = wav(loud(1))
    async with http.post(f"{url}/api/v1/voice/process", data=file, headers=headers) as answer:
        return answer.status, (await answer.read())[:4]


async def until_asked(stage: Stage) -> None:
    async with asyncio.timeout(20):
        while not stage.llm.jobs:  # noqa: ASYNC110 (the fakes tell nobody)
            await asyncio.sleep(0.01)


def with_drain(seconds: float) -> Config:
    return replace(CONFIG, server=replace(CONFIG.server, drain_seconds=seconds))


async def in_call(
    http: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> aiohttp.ClientWebSocketResponse:
    """A call, once the server is ready."""
    call = await http.ws_connect(f"{await ready(caplog)}/v1/realtime")
    assert (await call.receive_json(timeout=5))["type"] == "session.created"
    return call


async def ready(caplog: pytest.LogCaptureFixture) -> str:
    """The server's address, once it listens."""
    async with asyncio.timeout(20):
        while "listening on" not in caplog.text:  # noqa: ASYNC110 (a log tells it)
            await asyncio.sleep(0.01)
    return url_of(caplog)


def url_of(caplog: pytest.LogCaptureFixture) -> str:
    (url,) = re.findall(r"listening on (http://\S+)", caplog.text)
    return str(url)


async def test_a_dead_engine_ends_it_with_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    engines = engines_that(lambda on_death: on_death(AssertionError("a slot leaked")))
    monkeypatch.setattr(server.app, "running_engines", engines)
    assert await serve(CONFIG) == 1


async def test_a_broken_model_is_told_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    config = replace(CONFIG, stt=replace(CONFIG.stt, model="/nowhere/whisper"))
    with pytest.raises(ModelError, match="/nowhere/whisper"):
        await serve(config)


async def test_a_language_that_no_model_hears_is_told_before_the_first_call() -> None:
    deployed = replace(CONFIG.conversation, languages=("en", "pt"))
    with pytest.raises(ModelError, match=r"conversation\.languages names pt"):
        await serve(replace(CONFIG, conversation=deployed))


@pytest.mark.parametrize(
    ("host", "flag"), [("127.0.0.1", "--port"), ("203.0.113.9", "--host"), ("a..b", "--host")]
)
def test_an_address_that_cannot_be_had_is_told_with_what_to_change(
    host: str, flag: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(server.app, "running_engines", engines_that(lambda _: None))
    monkeypatch.setattr(logs, "configure", lambda *_: None)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        flags = ["--offline", "false", "--insecure", "true", "--host", host, "--port", port]
        monkeypatch.setattr(sys, "argv", ["tinig", *flags])
        assert main() == 1
    said = capsys.readouterr().err
    assert f"cannot listen on {host}:{port}" in said
    assert f"Choose another with {flag}." in said


def test_an_error_that_is_none_of_listening_is_not_told_as_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def serve_for_a_while(config: Config) -> int:
        raise OSError("No space left on device")

    monkeypatch.setattr(server.app, "serve", serve_for_a_while)
    monkeypatch.setattr(logs, "configure", lambda *_: None)
    monkeypatch.setattr(sys, "argv", ["tinig", "--offline", "false"])
    with pytest.raises(OSError, match="No space left"):
        main()
    assert "cannot listen" not in capsys.readouterr().err
