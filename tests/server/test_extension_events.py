"""Events of ours on the wire, for a client that asks for them."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from server.app import Server
from server.config import Config
from tests.fakes import Stage

Client = TestClient[web.Request, web.Application]
MakeClient = Callable[[web.Application], Awaitable[Client]]
ITEM = {
    "type": "message",
    "role": "user",
    "content": [{"type": "input_text", "text": "Where is Paris?"}],
}


async def written_turn(client: Client, asked_for: list[str]) -> list[dict[str, Any]]:
    """Everything that a client is told that asks for `asked_for` and writes one message."""
    events: list[dict[str, Any]] = []
    update = {"type": "session.update", "session": {"tinig": {"events": asked_for}}}
    async with client.ws_connect("/v1/realtime") as socket, asyncio.timeout(20):
        for message in (
            update,
            {"type": "conversation.item.create", "item": ITEM},
            {"type": "response.create"},
        ):
            await socket.send_json(message)
        while not events or events[-1]["type"] != "response.done":
            events.append(json.loads(await socket.receive_str()))
    return events


async def test_the_state_is_told_whenever_it_changes(aiohttp_client: MakeClient) -> None:
    client = await aiohttp_client(Server(Config(), Stage().engines).application())
    events = await written_turn(client, ["state"])
    states = [event["state"] for event in events if event["type"] == "tinig.state"]
    assert states == ["processing", "ai_generating", "ai_speaking"]
    assert {e["type"] for e in events if e["type"].startswith("tinig.")} == {"tinig.state"}


@pytest.mark.parametrize("asked_for", [[], ["turn"]])
async def test_who_does_not_ask_is_not_told(
    aiohttp_client: MakeClient, asked_for: list[str]
) -> None:
    client = await aiohttp_client(Server(Config(), Stage().engines).application())
    events = await written_turn(client, asked_for)
    assert "tinig.state" not in {event["type"] for event in events}
