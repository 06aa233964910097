"""The door, the health of the process, and calls over a real WebSocket on scripted engines."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, Literal, cast

import numpy as np
import pytest
from aiohttp import ClientWebSocketResponse, WSServerHandshakeError, web
from aiohttp.test_utils import TestClient
from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter

from engines.llm import ToolCall
from server.app import Server
from server.config import Config, ServerConfig
from tests.fakes import Stage

Client = TestClient[web.Request, web.Application]
Socket = ClientWebSocketResponse[Literal[True]]
MakeClient = Callable[[web.Application], Awaitable[Client]]
SERVER_EVENT: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)
KEY = "a-key-of-sixteen-characters"


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def make_server(stage: Stage) -> Callable[..., Server]:
    def make(**config: Any) -> Server:
        return Server(replace(Config(), server=ServerConfig(**config)), stage.engines)

    return make


async def call(client: Client, **options: Any) -> Socket:
    socket: Socket = await client.ws_connect("/v1/realtime?model=tinig", **options)
    return socket


async def send(socket: Socket, **event: Any) -> None:
    await socket.send_str(json.dumps(event))


async def until(socket: Socket, kind: str) -> list[dict[str, Any]]:
    """The events up to and with the first of a type; each validates against the SDK's types."""
    events: list[dict[str, Any]] = []
    async with asyncio.timeout(20):
        while not events or events[-1]["type"] != kind:
            event = json.loads(await socket.receive_str())
            if not event["type"].startswith("tinig."):
                SERVER_EVENT.validate_python(event)
            events.append(event)
    return events


async def speak(socket: Socket, level: int, seconds: float) -> None:
    samples = np.full(int(24_000 * seconds), level, dtype="<i2")
    await send(
        socket,
        type="input_audio_buffer.append",
        audio=base64.b64encode(samples.tobytes()).decode(),
    )


async def test_a_spoken_turn_over_the_wire(
    make_server: Callable[..., Server], aiohttp_client: MakeClient
) -> None:
    client = await aiohttp_client(make_server().application())
    async with await call(client) as socket:
        await send(socket, type="session.update", session={"tinig": {"events": ["turn"]}})
        await speak(socket, 16_000, 1.0)
        await speak(socket, 0, 1.0)
        events = await until(socket, "tinig.turn")
    kinds = list(dict.fromkeys(event["type"] for event in events))
    assert kinds == [
        "session.created",
        "session.updated",
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "conversation.item.input_audio_transcription.completed",
        "response.created",
        "rate_limits.updated",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_audio_transcript.delta",
        "response.output_audio.delta",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.done",
        "tinig.turn",
    ]
    done = events[-2]["response"]
    assert done["status"] == "completed"
    assert done["output"][0]["content"][0]["transcript"] == "The capital of France is Paris."
    audio = b"".join(
        base64.b64decode(event["delta"])
        for event in events
        if event["type"] == "response.output_audio.delta"
    )
    assert len(audio) == pytest.approx(2 * 24_000 * 31 * 0.06, rel=0.01)
    assert events[-1]["turn"]["heard"] == "What is the capital of France?"


async def test_bad_messages_are_answered_and_the_session_lives_on(
    make_server: Callable[..., Server], aiohttp_client: MakeClient
) -> None:
    client = await aiohttp_client(make_server().application())
    async with await call(client) as socket:
        await until(socket, "session.created")
        for bad, code in (
            ("{", "invalid_json"),
            ('{"type": "no.such", "event_id": "e7"}', "invalid_value"),
            ('{"type": "input_audio_buffer.append", "audio": "?"}', "invalid_value"),
            ('{"type": "input_audio_buffer.append", "audio": "AA=="}', "invalid_audio"),
            ('{"type": "response.cancel"}', "response_cancel_not_active"),
        ):
            await socket.send_str(bad)
            error = (await until(socket, "error"))[-1]["error"]
            assert error["code"] == code
            assert error["event_id"] == ("e7" if "e7" in bad else None)
        await socket.send_bytes(b"\x00\x01")
        assert (await until(socket, "error"))[-1]["error"]["code"] == "invalid_message_type"
        await send(socket, type="session.update", session={"instructions": "Still here."})
        updated = (await until(socket, "session.updated"))[-1]["session"]
    assert updated["instructions"] == "Still here."
    assert updated["audio"]["input"]["turn_detection"]["silence_duration_ms"] == 500


async def test_a_tool_call_and_its_result_over_the_wire(
    stage: Stage, make_server: Callable[..., Server], aiohttp_client: MakeClient
) -> None:
    stage.tool_call = ToolCall("call_1", "book", '{"day": "Monday"}')
    tool = {"type": "function", "name": "book", "description": "", "parameters": {}}
    client = await aiohttp_client(make_server().application())
    async with await call(client) as socket:
        await send(socket, type="session.update", session={"tools": [tool]})
        await speak(socket, 16_000, 1.0)
        await speak(socket, 0, 1.0)
        events = await until(socket, "response.done")
        called = next(e for e in events if e["type"] == "response.function_call_arguments.done")
        assert called["arguments"] == '{"day": "Monday"}'
        stage.tool_call = None
        output = {"type": "function_call_output", "call_id": called["call_id"], "output": "ok"}
        await send(socket, type="conversation.item.create", item=output)
        await send(socket, type="response.create")
        await until(socket, "response.done")
    assert [m.role for m in stage.prompts[-1].messages] == ["system", "user", "assistant", "tool"]


async def test_another_caller_does_not_notice_a_bad_one(
    make_server: Callable[..., Server], aiohttp_client: MakeClient
) -> None:
    client = await aiohttp_client(make_server().application())
    async with await call(client) as good:
        bad = await call(client)
        await bad.send_str("{" * 1000)
        await speak(bad, 16_000, 0.5)
        await bad.close()
        await speak(good, 16_000, 1.0)
        await speak(good, 0, 1.0)
        events = await until(good, "response.done")
    assert events[-1]["response"]["status"] == "completed"
    assert not [event for event in events if event["type"] == "error"]


async def test_a_call_that_ends_gives_its_place_back(
    stage: Stage, make_server: Callable[..., Server], aiohttp_client: MakeClient
) -> None:
    server = make_server(max_sessions=1)
    client = await aiohttp_client(server.application())
    socket = await call(client)
    await speak(socket, 16_000, 1.0)
    assert (await client.get("/readyz")).status == 503
    with pytest.raises(WSServerHandshakeError) as refused:
        await call(client)
    assert refused.value.status == 503
    assert refused.value.headers is not None
    assert refused.value.headers["Retry-After"] == "5"
    await socket.close()
    async with asyncio.timeout(5):
        while server.counters.sessions:  # noqa: ASYNC110 (nothing of the server's tells of it)
            await asyncio.sleep(0.01)
    assert not stage.open_jobs
    assert (await client.get("/readyz")).status == 200
    assert server.counters.refused == {"Service Unavailable": 1}


class StalledSocket:
    """Its client does not read: closing it waits until the client is cut off."""

    def __init__(self) -> None:
        self.told = asyncio.Event()
        self.cut = asyncio.Event()

    async def close(self, *, code: int, message: bytes) -> None:
        assert code == 1001
        self.told.set()
        await self.cut.wait()
        raise ConnectionError


async def test_who_does_not_read_keeps_nobody_else_from_being_told_that_the_server_goes_down(
    make_server: Callable[..., Server],
) -> None:
    calls = make_server().calls
    sockets = [StalledSocket() for _ in range(3)]
    with ExitStack() as places:
        for socket in sockets:
            places.enter_context(calls.place(cast(web.WebSocketResponse, socket)))
        closing = asyncio.create_task(calls.close_sockets(), name="closing")
        async with asyncio.timeout(5):
            for socket in sockets:
                await socket.told.wait()
            for socket in sockets:
                socket.cut.set()
            await closing


async def test_a_key_is_asked_for_when_configured(
    make_server: Callable[..., Server], aiohttp_client: MakeClient
) -> None:
    client = await aiohttp_client(make_server(api_keys=(KEY,)).application())
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": KEY}):
        with pytest.raises(WSServerHandshakeError) as refused:
            await call(client, headers=headers)
        assert refused.value.status == 401
    async with await call(client, headers={"Authorization": f"Bearer {KEY}"}) as socket:
        await until(socket, "session.created")
    protocols = ("realtime", f"openai-insecure-api-key.{KEY}")
    async with await call(client, protocols=protocols) as socket:
        assert socket.protocol == "realtime"


async def test_pages_of_other_origins_are_refused(
    make_server: Callable[..., Server], aiohttp_client: MakeClient
) -> None:
    friend = "https://friend.example"
    client = await aiohttp_client(make_server(allowed_origins=(friend,)).application())
    with pytest.raises(WSServerHandshakeError) as refused:
        await call(client, origin="https://evil.example")
    assert refused.value.status == 403
    for origin in (friend, f"http://{client.host}:{client.port}"):
        async with await call(client, origin=origin) as socket:
            await until(socket, "session.created")


async def test_a_name_that_somebody_pointed_here_is_another_origin(
    make_server: Callable[..., Server], aiohttp_client: MakeClient
) -> None:
    client = await aiohttp_client(make_server().application())
    host = f"rebound.example:{client.port}"
    with pytest.raises(WSServerHandshakeError) as refused:
        await call(client, origin=f"http://{host}", headers={"Host": host})
    assert refused.value.status == 403
    host = f"localhost:{client.port}"
    async with await call(client, origin=f"http://{host}", headers={"Host": host}) as socket:
        await until(socket, "session.created")


async def test_health_tells_of_a_dead_engine(
    stage: Stage, make_server: Callable[..., Server], aiohttp_client: MakeClient
) -> None:
    client = await aiohttp_client(make_server().application())
    assert (await client.get("/healthz")).status == 200
    stage.failures["llm"] = "it died"
    response = await client.get("/healthz")
    assert response.status == 500
    assert (await response.json())["failures"] == {"llm": "it died"}
