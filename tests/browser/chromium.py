"""A real Chromium, driven over the DevTools protocol: no more than what the page's tests need."""

import asyncio
import base64
import itertools
import json
import os
import shutil
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--autoplay-policy=no-user-gesture-required",
    "--remote-debugging-port=0",
)
_FAKE_MICROPHONE = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
_MIDDLE = """(selector) => {
  const element = document.querySelector(selector);
  element.scrollIntoView({ block: 'nearest' });
  const box = element.getBoundingClientRect();
  return [box.x + box.width / 2, box.y + box.height / 2];
}"""
_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_START_SECONDS = 90.0


class PageError(Exception):
    """The page's own JavaScript threw, or what was awaited did not come."""


class Tab:
    """One page."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.complaints: list[str] = []  # exceptions and console errors of the page
        self._socket = socket
        self._ids = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}

    async def send(self, method: str, **params: object) -> Any:
        """One command of the protocol, and its result."""
        number = next(self._ids)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": params})
        return await answer

    async def listen(self) -> None:
        """Take in answers and events until the browser is gone."""
        async for message in self._socket:
            event = json.loads(message.data)
            if "id" in event:
                self._settle(self._answers.pop(event["id"]), event)
            elif event["method"] == "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(event["params"]["exceptionDetails"]))
            elif (
                event["method"] == "Log.entryAdded" and event["params"]["entry"]["level"] == "error"
            ):
                self.complaints.append(event["params"]["entry"]["text"])

    def _settle(self, answer: asyncio.Future[Any], event: dict[str, Any]) -> None:
        if answer.done():  # nobody waits any more
            return
        if "error" in event:
            answer.set_exception(PageError(str(event["error"])))
        else:
            answer.set_result(event["result"])

    async def open(self, url: str) -> None:
        """Go there."""
        await self.send("Page.navigate", url=url)
        await self.until("document.readyState === 'complete'")

    async def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression; a promise is awaited."""
        result = await self.send(
            "Runtime.evaluate",
            expression=expression,
            awaitPromise=True,
            returnByValue=True,
            userGesture=True,
        )
        if "exceptionDetails" in result:
            raise PageError(json.dumps(result["exceptionDetails"]))
        return result["result"].get("value")

    async def until(self, expression: str, seconds: float = 60.0) -> Any:
        """Wait until an expression holds, and give its value."""
        try:
            async with asyncio.timeout(seconds):
                while not (value := await self.evaluate(expression)):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)  # the page tells nobody
        except TimeoutError as error:
            raise PageError(f"{expression} did not become true: {self.complaints}") from error
        return value

    async def click(self, selector: str) -> None:
        """Click an element in its middle, as a mouse would."""
        place = await self.evaluate(f"({_MIDDLE})({selector!r})")
        for kind in ("mousePressed", "mouseReleased"):
            await self.send(
                "Input.dispatchMouseEvent",
                type=kind,
                x=place[0],
                y=place[1],
                button="left",
                clickCount=1,
            )

    async def key(self, kind: str, key: str, code: str) -> None:
        """A key goes down ("keyDown") or up ("keyUp")."""
        await self.send("Input.dispatchKeyEvent", type=kind, key=key, code=code)

    async def save_downloads_to(self, folder: Path) -> None:
        """What the page offers for download is saved there, under the name that it gives."""
        await self.send("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))

    async def screenshot(self) -> bytes:
        """What the window shows, as PNG."""
        picture = await self.send("Page.captureScreenshot", format="png")
        return base64.b64decode(picture["data"])


def executable() -> str:
    """The browser's path: $CHROMIUM, or the first that is installed."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        raise PageError(f"No browser: install one of {', '.join(_NAMES)}, or set CHROMIUM.")
    return found


@asynccontextmanager
async def browser(
    profile: Path, *, microphone: Path | None, size: tuple[int, int] = (1280, 900)
) -> AsyncIterator[Tab]:
    """An empty tab of a new browser. `microphone` is a WAV file that its microphone plays once;
    None: the page may not use the microphone."""
    flags = [*_FLAGS, f"--user-data-dir={profile}", f"--window-size={size[0]},{size[1]}"]
    if microphone is not None:
        flags += [*_FAKE_MICROPHONE, f"--use-file-for-fake-audio-capture={microphone}%noloop"]
    else:
        flags += ["--use-fake-device-for-media-stream", "--deny-permission-prompts"]
    process = await asyncio.create_subprocess_exec(
        executable(), *flags, "about:blank", stdout=DEVNULL, stderr=DEVNULL
    )
    try:
        port = int(await _port_file(profile, process))
        async with aiohttp.ClientSession() as http:
            url = await _page_url(http, port)
            async with (
                http.ws_connect(url, max_msg_size=64 * 1024 * 1024) as socket,
                asyncio.TaskGroup() as tasks,
            ):
                tab = Tab(socket)
                listener = tasks.create_task(tab.listen())
                await _prepare(tab, size)
                yield tab
                listener.cancel()
    finally:
        process.terminate()
        await process.wait()


async def _prepare(tab: Tab, size: tuple[int, int]) -> None:
    for domain in ("Page", "Runtime", "Log"):
        await tab.send(f"{domain}.enable")
    await tab.send(
        "Emulation.setDeviceMetricsOverride",
        width=size[0],
        height=size[1],
        deviceScaleFactor=1,
        mobile=size[0] < 600,
    )


async def _port_file(profile: Path, process: Process) -> str:
    """The first line of the file that the browser writes once it can be driven."""
    file = profile / "DevToolsActivePort"
    async with asyncio.timeout(_START_SECONDS):
        while not (lines := _lines(file)):
            if process.returncode is not None:
                raise PageError(f"The browser ended with status {process.returncode}.")
            await asyncio.sleep(0.1)
    return lines[0]


def _lines(file: Path) -> list[str]:
    """Both lines of the file, or none while it is not whole."""
    lines = file.read_text().splitlines() if file.exists() else []
    return lines if len(lines) > 1 else []


async def _page_url(http: aiohttp.ClientSession, port: int) -> str:
    async with http.get(f"http://127.0.0.1:{port}/json/list") as reply:
        targets = await reply.json()
    return str(next(t["webSocketDebuggerUrl"] for t in targets if t["type"] == "page"))
