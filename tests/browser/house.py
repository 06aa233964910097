"""The page in a real Chromium with a fake microphone, beside a server in this process.

The files `page_*.py` are for `make browser` and not collected by `make test`, which needs no
browser. The conversation is held with the real server and its starter models; what is about the
door and the line, with scripted engines.
"""

import os
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from aiohttp.test_utils import TestServer

from evaluation.speech import synthesize
from server.app import Server
from server.config import Config, ServerConfig
from tests.browser.chromium import Tab, browser
from tests.fakes import Stage

RATE_HZ = 48_000  # of the fake microphone
KEY = "a-key-of-sixteen-characters"
LONG_ANSWER = (" Once upon a time", " there was a voice", " that nobody", " could stop.") * 4
CAPTIONS = "[...document.querySelectorAll('#captions .caption-text')].map(e => e.textContent)"
NUM_CAPTIONS = f"({CAPTIONS}).filter(Boolean).length"  # that have words by now
NOTICE = (
    "document.querySelector('#notice').hidden ? '' : document.querySelector('#notice').innerText"
)
STATUS = "document.querySelector('#connection').dataset.status"
STATE = "document.querySelector('#states [aria-current]').className"


@dataclass
class House:
    """A server in this process, on scripted engines."""

    server: Server
    url: str
    stage: Stage

    async def drop_calls(self) -> None:
        """As at a restart: every client is told that the server goes away."""
        await self.server._close_sockets(self.server.application())


def door(**server: Any) -> Config:
    """A configuration that differs in who may come in."""
    return replace(Config(), server=ServerConfig(**server))


@asynccontextmanager
async def house(stage: Stage, config: Config | None = None) -> AsyncIterator[House]:
    server = Server(config or Config(), stage.engines)
    async with TestServer(server.application(), host="127.0.0.1") as listener:
        yield House(server, str(listener.make_url("/")), stage)


def record(path: Path, *parts: float | tuple[str, str]) -> Path:
    """A recording of silences (seconds) and sentences (text, language)."""
    sound = [
        np.zeros(int(RATE_HZ * part), dtype=np.int16)
        if isinstance(part, int | float)
        else synthesize(*part, RATE_HZ)
        for part in parts
    ]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(np.concatenate(sound).astype("<i2").tobytes())
    return path


@asynccontextmanager
async def page(
    url: str, folder: Path, microphone: Path | None, size: tuple[int, int] = (1280, 900)
) -> AsyncIterator[Tab]:
    """The page, loaded, in a new browser. It must not complain of anything."""
    profile = folder / "profile"
    profile.mkdir()
    async with browser(profile, microphone=microphone, size=size) as tab:
        await tab.open(url)
        await tab.until("document.querySelector('#talk-label').textContent !== ''")
        try:
            yield tab
        finally:
            await keep_screenshot(tab, folder)


async def keep_screenshot(tab: Tab, folder: Path) -> None:
    """For a look at it, where $SCREENSHOTS names a folder."""
    target = os.environ.get("SCREENSHOTS")
    if target is not None:
        (Path(target) / f"{folder.name}.png").write_bytes(await tab.screenshot())


async def call_to_hold(tab: Tab) -> None:
    """Begin a call in push to talk."""
    await tab.click("[name=mode][value=hold]")
    await tab.click("#talk")
    await tab.until(f"{STATUS} === 'online'")


async def write(tab: Tab, text: str) -> None:
    """Type a message and send it, with the keyboard."""
    await tab.evaluate("document.querySelector('#text').focus()")
    await tab.send("Input.insertText", text=text)
    await tab.send("Input.dispatchKeyEvent", type="keyDown", key="Enter", code="Enter", text="\r")
    await tab.send("Input.dispatchKeyEvent", type="keyUp", key="Enter", code="Enter")
