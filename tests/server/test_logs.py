"""Log lines carry the session and the epoch of the task that wrote them."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator, Sequence
from typing import Literal

import pytest
from aiohttp import web

from engines.batcher import Batcher, Job
from engines.errors import EngineError
from server import logs
from server.app import Server
from server.config import Config
from tests.fakes import Stage

log = logging.getLogger("tinig.test")


@pytest.fixture
def output() -> Iterator[io.StringIO]:
    """What is written while a test runs; the handlers of pytest come back after it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers.clear()
    yield io.StringIO()
    root.handlers[:] = handlers
    root.setLevel(level)


class Broken:
    """An engine none of whose steps works."""

    max_batch = 4

    def load(self) -> None: ...

    def start(self, job: Job[str, str]) -> bool:
        return True

    def step(self, jobs: Sequence[Job[str, str]]) -> None:
        raise ValueError("broken")

    def stop(self, job: Job[str, str]) -> None: ...

    def assert_idle(self) -> None: ...


async def test_an_engine_job_has_the_session_and_the_epoch_of_who_submits_it(
    output: io.StringIO,
) -> None:
    logs.configure("json", stream=output)

    async def turn(batcher: Batcher[str, str], epoch: int) -> None:
        logs.bind(session="a", epoch=epoch)
        with pytest.raises(EngineError):
            await batcher.run("")

    async with Batcher[str, str]("stt", Broken()) as batcher, asyncio.TaskGroup() as group:
        for epoch in (3, 4):
            group.create_task(turn(batcher, epoch), name=f"turn {epoch}")

    lines = [json.loads(line) for line in output.getvalue().splitlines()]
    jobs = {(line["session"], line["epoch"]) for line in lines if "job" in line["message"]}
    assert jobs == {("a", 3), ("a", 4)}


async def test_every_task_has_its_own_session_and_epoch(output: io.StringIO) -> None:
    logs.configure("json", stream=output)

    async def turn(epoch: int) -> None:
        logs.bind(epoch=epoch)
        await asyncio.sleep(0)
        log.info("answered")

    async def session(name: str) -> None:
        logs.bind(session=name)
        async with asyncio.TaskGroup() as group:
            group.create_task(turn(1), name="first")
            group.create_task(turn(2), name="second")

    async with asyncio.TaskGroup() as group:
        group.create_task(session("a"), name="a")
        group.create_task(session("b"), name="b")
    log.info("outside")

    lines = [json.loads(line) for line in output.getvalue().splitlines()]
    seen = {(line.get("session"), line.get("epoch")) for line in lines}
    assert seen == {("a", 1), ("a", 2), ("b", 1), ("b", 2), (None, None)}


def test_json_lines_hold_extra_fields_and_the_traceback(output: io.StringIO) -> None:
    logs.configure("json", stream=output)
    try:
        raise ValueError("¡no!")
    except ValueError:
        log.exception("it failed", extra={"first_audio_ms": 212, "language": "hi"})
    line = json.loads(output.getvalue())
    assert line["level"] == "error"
    assert line["message"] == "it failed"
    assert (line["first_audio_ms"], line["language"]) == (212, "hi")
    assert "ValueError: ¡no!" in line["exception"]
    assert line["time"].endswith("+00:00")


def test_text_lines_are_for_people(output: io.StringIO) -> None:
    logs.configure("text", stream=output)
    log.warning("slow %s", "turn", extra={"session": "s-1", "epoch": 3, "milliseconds": 900})
    assert output.getvalue().endswith(
        "WARNING tinig.test [s-1 epoch 3] slow turn milliseconds=900\n"
    )


def test_the_level_holds_back_what_is_less_serious(output: io.StringIO) -> None:
    logs.configure("text", "warning", stream=output)
    log.info("not shown")
    log.error("shown")
    assert "not shown" not in output.getvalue()
    assert "shown" in output.getvalue()


@pytest.mark.parametrize(
    "junk",
    [
        b"GET " + b"\xff" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 5_000 + b"\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
@pytest.mark.parametrize(("level", "lines"), [("info", 1), ("error", 0)])
async def test_what_is_no_http_is_a_short_line(
    junk: bytes, level: Literal["info", "error"], lines: int, output: io.StringIO
) -> None:
    """Strangers could fill the disk with tracebacks, and with all that they sent."""
    logs.configure("text", level, stream=output)
    runner = Server(Config(), Stage().engines).runner()
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    reader, writer = await asyncio.open_connection(*runner.addresses[0])
    writer.write(junk)
    assert b" 400 " in await reader.readline()
    writer.close()
    await runner.cleanup()
    told = [line for line in output.getvalue().splitlines() if "aiohttp.server" in line]
    assert len(told) == lines
    assert len(output.getvalue()) < 300
    assert all("INFO aiohttp.server Error handling request" in line for line in told)
