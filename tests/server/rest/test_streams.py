"""Answers and clients that do not take them."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from server.config import RestConfig
from server.rest.streams import Stream, send_whole
from tests.server.rest.door import client_of, instant, loud, server_on, wav

IMPATIENT = RestConfig(stall_seconds=0.2)
MORE_THAN_SOCKETS_HOLD = bytes(40_000_000)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def asked(handler: Handler) -> AsyncIterator[Connection]:
    """A connection on which the handler was asked for; nothing of its answer is read."""
    app = web.Application()
    app.router.add_get("/", handler)
    async with TestServer(app, host="127.0.0.1") as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1024)
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        yield reader, writer
        writer.close()


async def failure_of(answer: Handler) -> BaseException:
    """What a handler raises whose client does not read."""
    failure: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await answer(request)
        except Exception as error:
            failure.set_result(error)
            raise

    async with asked(handle), asyncio.timeout(20):
        return await failure


async def end_late(request: web.Request) -> web.StreamResponse:
    stream = Stream(request, IMPATIENT, web.StreamResponse())
    await stream.write(b"The first part.")
    assert request.transport is not None
    request.transport.write(MORE_THAN_SOCKETS_HOLD)
    return await stream.end()


async def send_much(request: web.Request) -> web.StreamResponse:
    return await send_whole(request, IMPATIENT, web.Response(body=MORE_THAN_SOCKETS_HOLD))


@pytest.mark.parametrize("answer", [end_late, send_much])
async def test_a_client_that_does_not_read_is_dropped(answer: Handler) -> None:
    assert isinstance(await failure_of(answer), ConnectionError)


async def test_a_whole_answer_may_take_long_while_its_client_reads() -> None:
    body = MORE_THAN_SOCKETS_HOLD

    async def handle(request: web.Request) -> web.StreamResponse:
        return await send_whole(request, IMPATIENT, web.Response(body=body, status=201))

    async with asked(handle) as (reader, _):
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 201 Created\r\n")
        assert f"Content-Length: {len(body)}\r\n".encode() in head
        received, pause = hashlib.sha256(), iter([0.05] * 10)
        for _ in range(0, len(body), 1_000_000):
            await asyncio.sleep(next(pause, 0.0))  # longer than `stall_seconds`, all together
            received.update(await reader.readexactly(1_000_000))
    assert received.digest() == hashlib.sha256(body).digest()


async def test_an_operation_whose_answer_is_not_read_is_given_up() -> None:
    stage = instant()
    stage.speech_seconds_per_character = 30.0  # some 40 MB
    server = server_on(stage, IMPATIENT)
    async with client_of(server) as client:
        reader, writer = await asyncio.open_connection(client.host, client.port, limit=1024)
        file = wav(loud(1))
        head = f"Content-Length: {len(file)}\r\nContent-Type: audio/wav\r\n\r\n"
        writer.write(b"POST /api/v1/voice/process HTTP/1.1\r\nHost: a\r\n" + head.encode() + file)
        async with asyncio.timeout(20):
            while not stage.tts.jobs or server.counters.requests:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            answer = await reader.read()  # until the connection is closed
        writer.close()
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    size = re.search(rb"Content-Length: (\d+)\r\n", answer)
    assert size is not None
    assert len(answer) < int(size[1])
