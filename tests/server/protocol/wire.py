"""A Realtime client on a WebSocket; every event that it receives is checked by the SDK's types."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from aiohttp import ClientWebSocketResponse, WSMsgType, web
from aiohttp.test_utils import TestClient
from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter

Client = TestClient[web.Request, web.Application]
MakeClient = Callable[[web.Application], Awaitable[Client]]
Event = dict[str, Any]

SERVER_EVENT: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)
ANSWER = "The capital of France is Paris."
TOOL = {"type": "function", "name": "book", "description": "Books.", "parameters": {}}
TEXT = {"output_modalities": ["text"]}
RATE_HZ = 24_000
SPEECH, SILENCE = 16_000, 0  # levels of int16 that the scripted VAD takes for one and the other


@dataclass
class Call:
    """One call, and all that was received in it; bytes are binary messages."""

    socket: ClientWebSocketResponse[Literal[True]]
    received: list[Event] = field(default_factory=list)
    binary: list[bytes] = field(default_factory=list)

    async def send(self, kind: str, **fields: Any) -> None:
        """Send an event."""
        await self.socket.send_str(json.dumps({"type": kind, **fields}))

    async def until(self, kind: str) -> Event:
        """Receive up to the next event of this type."""
        async with asyncio.timeout(20):
            while True:
                message = await self.socket.receive()
                if message.type is WSMsgType.BINARY:
                    self.binary.append(message.data)
                    continue
                assert message.type is WSMsgType.TEXT, message
                event: Event = json.loads(message.data)
                if not event["type"].startswith("tinig."):
                    SERVER_EVENT.validate_python(event)
                self.received.append(event)
                if event["type"] == kind:
                    return event

    async def update(self, **session: Any) -> Event:
        """Change the settings; what they are then."""
        await self.send("session.update", session=session)
        told: Event = (await self.until("session.updated"))["session"]
        return told

    async def refusal(self, kind: str, **fields: Any) -> Event:
        """Send an event that is refused, and give the error, which names it."""
        await self.send(kind, event_id="mine", **fields)
        error: Event = (await self.until("error"))["error"]
        assert error["event_id"] == "mine"
        return error

    async def add(self, **item: Any) -> Event:
        """Put an item into the conversation, at the end."""
        await self.send("conversation.item.create", item=item)
        return await self.until("conversation.item.done")

    async def write(self, text: str, item_id: str) -> Event:
        """Put a message of the user into the conversation, at the end."""
        content = [{"type": "input_text", "text": text}]
        return await self.add(type="message", role="user", id=item_id, content=content)

    async def pour(self, level: int, seconds: float) -> None:
        """Send sound of one level as fast as it is taken."""
        await self.send("input_audio_buffer.append", audio=encoded(level, seconds))

    def of(self, kind: str) -> list[Event]:
        """The events of one type so far."""
        return [event for event in self.received if event["type"] == kind]


@asynccontextmanager
async def calling(client: Client, query: str = "model=tinig") -> AsyncIterator[Call]:
    """A call from `session.created` on."""
    async with client.ws_connect(f"/v1/realtime?{query}") as socket:
        call = Call(socket)
        await call.until("session.created")
        yield call


def encoded(level: int, seconds: float) -> str:
    """PCM16 at 24 kHz in base64."""
    return base64.b64encode(sound(level, seconds)).decode()


def sound(level: int, seconds: float) -> bytes:
    """PCM16 at 24 kHz."""
    return np.full(int(RATE_HZ * seconds), level, dtype="<i2").tobytes()


async def speak(call: Call) -> None:
    """A turn of the caller's, heard as they speak."""
    for _ in range(12):
        await call.pour(SPEECH, 0.2)
        await call.update()  # the engines come to their turn in between
    await call.pour(SILENCE, 1.0)
