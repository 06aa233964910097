"""The life of the process: it serves until a signal, and ends with an error when an engine dies."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

import server.app
from engines.errors import ModelError
from engines.host import Engines
from server.app import serve
from server.config import Config, ServerConfig
from tests.fakes import Stage

CONFIG = replace(Config(), server=ServerConfig(port=0))
Begin = Callable[[Callable[[BaseException], None]], None]


def engines_that(begin: Begin) -> Any:
    """In place of the real ones: `begin` is called with `on_death` once they run."""

    @asynccontextmanager
    async def running(*_: Any, on_death: Callable[[BaseException], None]) -> AsyncIterator[Engines]:
        stage: Any = Stage()
        stage.loaded = ()
        stage.languages = CONFIG.conversation.languages
        asyncio.get_running_loop().call_later(0.2, begin, on_death)
        yield stage

    return running


async def test_a_signal_ends_it_well(monkeypatch: pytest.MonkeyPatch) -> None:
    engines = engines_that(lambda _: os.kill(os.getpid(), signal.SIGTERM))
    monkeypatch.setattr(server.app, "running_engines", engines)
    assert await serve(CONFIG) == 0


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
