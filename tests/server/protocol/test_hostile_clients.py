"""What a client sees that means ill, or is broken; and that nobody else sees anything."""

import asyncio
import base64
import json
import os
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from aiohttp import web

from server import app, session_items
from server.app import MAXIMUM_MESSAGE_BYTES, Server
from server.config import Config
from server.protocol import realtime
from tests.fakes import Stage
from tests.server.protocol.wire import SILENCE, SPEECH, Client, MakeClient, calling

UPGRADE = (
    "GET /v1/realtime HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
)
GARBAGE = "{" * 200


@pytest.fixture
def server() -> Server:
    return Server(Config(), Stage(speech_seconds_per_character=0.01).engines)


@pytest.fixture
async def client(server: Server, aiohttp_client: MakeClient) -> Client:
    return await aiohttp_client(server.application())


@asynccontextmanager
async def raw_call(
    client: Client,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A WebSocket by hand, after its handshake. It reads nothing by itself."""
    reader, writer = await asyncio.open_connection(client.host, client.port, limit=4096)
    try:
        key = base64.b64encode(os.urandom(16)).decode()
        writer.write(UPGRADE.format(key=key).encode())
        await reader.readuntil(b"\r\n\r\n")
        yield reader, writer
    finally:
        writer.transport.abort()


def frame(text: str) -> bytes:
    """A masked text frame; the mask is zero."""
    data = text.encode()
    return struct.pack("!BBH", 0x81, 0x80 | 126, len(data)) + bytes(4) + data


async def send_for_ever(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Send, and never read."""
    async with asyncio.timeout(20):
        while True:
            writer.write(data)
            await writer.drain()


async def until_free(server: Server) -> None:
    async with asyncio.timeout(10):
        while server.calls.counters.sessions:  # noqa: ASYNC110 (nothing of the server's tells)
            await asyncio.sleep(0.01)


async def assert_takes_a_call(client: Client) -> None:
    async with calling(client) as call:
        await call.pour(SPEECH, 1.0)
        await call.pour(SILENCE, 1.0)
        done = await call.until("response.done")
    assert done["response"]["status"] == "completed"


async def test_a_message_that_is_too_long_ends_its_call_by_1009(
    client: Client, server: Server
) -> None:
    part = struct.pack("!BBQ", 0x01, 0x80 | 127, 1 << 20) + bytes(4) + b"x" * (1 << 20)
    rest = b"\x00" + part[1:]  # continues it
    async with raw_call(client) as (reader, writer):
        writer.write(part)
        for _ in range(MAXIMUM_MESSAGE_BYTES >> 20):
            writer.write(rest)
        async with asyncio.timeout(10):
            await reader.readuntil(struct.pack("!H", 1009))
    await until_free(server)
    await assert_takes_a_call(client)


async def test_a_flood_is_answered_message_by_message_and_others_are_heard(
    client: Client,
) -> None:
    async with calling(client) as call:
        for _ in range(2000):
            await call.socket.send_str(GARBAGE)
        await assert_takes_a_call(client)
        await call.update()
    errors = call.of("error")
    assert len(errors) == 2000
    assert {event["error"]["code"] for event in errors} == {"invalid_json"}


@pytest.mark.parametrize("bound", ["items", "characters"])
async def test_a_conversation_has_room_for_so_much(
    bound: str, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is deleted makes room; nothing is kept of what was refused."""
    if bound == "items":
        monkeypatch.setattr(session_items, "MAXIMUM_ITEMS", 2)
    else:
        monkeypatch.setattr(session_items, "MAXIMUM_CHARACTERS", 25)

    ten = [{"type": "input_text", "text": "0123456789"}]
    more = {"type": "message", "role": "user", "id": "c", "content": ten}
    async with calling(client) as call:
        await call.write("0123456789", "a")
        await call.write("0123456789", "b")
        error = await call.refusal("conversation.item.create", item=more)
        assert (error["code"], "delete some" in error["message"]) == ("conversation_full", True)
        await call.send("conversation.item.delete", item_id="a")
        await call.write("0123456789", "d")
        error = await call.refusal("conversation.item.retrieve", item_id="c")
        assert error["code"] == "item_retrieve_invalid_item_id"


async def test_who_asks_and_does_not_read_is_cut_off_at_the_buffers_bound(
    client: Client, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(realtime, "MAXIMUM_BACKLOG", 100)
    async with raw_call(client) as (_, writer):
        with pytest.raises(ConnectionError):
            await send_for_ever(writer, frame(GARBAGE) * 200)
        await until_free(server)
        await assert_takes_a_call(client)


async def test_who_does_not_read_for_long_is_cut_off(
    client: Client, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(realtime, "PATIENCE_SECONDS", 0.05)
    update = {"type": "session.update", "session": {"instructions": "a" * 30_000}}
    asked = frame(json.dumps(update))
    async with raw_call(client) as (_, writer):
        with pytest.raises(ConnectionError):
            await send_for_ever(writer, asked)
        await until_free(server)
        await assert_takes_a_call(client)


async def test_a_message_that_comes_byte_by_byte_is_read(client: Client) -> None:
    async with raw_call(client) as (reader, writer):
        for byte in frame(json.dumps({"type": "input_audio_buffer.clear"})):
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)
        async with asyncio.timeout(10):
            await reader.readuntil(b"input_audio_buffer.cleared")


async def test_a_handshake_that_stops_half_way_keeps_nobody_out(
    client: Client, server: Server
) -> None:
    _, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(UPGRADE[:40].encode())
    await writer.drain()
    assert server.calls.counters.sessions == 0  # it has no place yet
    await assert_takes_a_call(client)
    writer.transport.abort()


@pytest.mark.parametrize(
    ("sent", "trickles"),
    [("", False), (UPGRADE[:40], False), (UPGRADE[:-2], False), (UPGRADE[:-2], True)],
    ids=["nothing", "half", "all but its end", "a header without end"],
)
async def test_a_handshake_that_does_not_come_ends_its_connection(
    server: Server, monkeypatch: pytest.MonkeyPatch, sent: str, *, trickles: bool
) -> None:
    monkeypatch.setattr(app, "REQUEST_SECONDS", 0.3)
    async with listening(server) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent.encode())
        dripping = asyncio.create_task(drip(writer)) if trickles else None
        try:
            async with asyncio.timeout(10):
                with suppress(ConnectionError):  # what was on its way meets a closed connection
                    assert await reader.read() == b""  # closed without a word
        finally:
            if dripping is not None:
                dripping.cancel()
            writer.transport.abort()


async def test_half_a_frame_and_then_nothing_ends_the_call(
    client: Client, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "HEARTBEAT_SECONDS", 0.2)
    async with raw_call(client) as (reader, writer):
        writer.write(frame(GARBAGE)[:20])
        async with asyncio.timeout(10):
            with suppress(ConnectionError):
                received = await reader.read()
                assert b"\x89\x00" in received  # a ping, which was not answered
        await until_free(server)
        await assert_takes_a_call(client)


@asynccontextmanager
async def listening(server: Server) -> AsyncIterator[int]:
    """The port of a server that runs as it does in earnest."""
    runner = server.runner()
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def drip(writer: asyncio.StreamWriter) -> None:
    """A byte of a header now and then, which never ends."""
    with suppress(ConnectionError):
        while True:
            writer.write(b"A")
            await writer.drain()
            await asyncio.sleep(0.05)


REPLAYED: tuple[tuple[str, dict[str, Any], str | None], ...] = (
    ("conversation.item.delete", {"item_id": "a"}, "item_delete_invalid_item_id"),
    ("input_audio_buffer.clear", {}, None),
    ("input_audio_buffer.commit", {}, "input_audio_buffer_commit_empty"),
    ("response.cancel", {}, "response_cancel_not_active"),
)


async def test_what_is_sent_again_is_refused_where_it_is_no_longer_true(client: Client) -> None:
    call_item = {"type": "function_call", "id": "f", "name": "f", "arguments": "{}"}
    async with calling(client) as call:
        await call.write("Hello", "a")
        for item_id in ("a", "f"):
            if item_id == "f":
                await call.add(**call_item, call_id="c")
            item = {**call_item, "id": item_id}
            error = await call.refusal("conversation.item.create", item=item)
            assert error["code"] == "item_create_duplicate_item_id"
        await call.send("conversation.item.delete", item_id="a")
        await call.until("conversation.item.deleted")
        for kind, fields, code in REPLAYED:
            if code is None:
                await call.send(kind, **fields)
            else:
                assert (await call.refusal(kind, **fields))["code"] == code
