"""Keys in every form in which a client may send them."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, make_mocked_request

from server.admission import require_key

MakeServer = Callable[[web.Application], Awaitable[TestServer]]
KEYS = ("first-key-of-the-owner", "schlüssel-mit-umlaut")


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {KEYS[0]}"},
        {"Authorization": f"bearer  {KEYS[0]} "},
        {"Authorization": f"Bearer {KEYS[1]}"},
        {"Sec-WebSocket-Protocol": f"realtime, openai-insecure-api-key.{KEYS[0]}"},
    ],
)
def test_a_known_key_comes_in(headers: dict[str, str]) -> None:
    require_key(make_mocked_request("GET", "/", headers), KEYS)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": KEYS[0]},
        {"Authorization": f"Basic {KEYS[0]}"},
        {"Authorization": "Bearer "},
        {"Authorization": f"Bearer {KEYS[0][:-1]}"},
        {"Sec-WebSocket-Protocol": "realtime"},
    ],
)
def test_anything_else_does_not(headers: dict[str, str]) -> None:
    with pytest.raises(web.HTTPUnauthorized):
        require_key(make_mocked_request("GET", "/", headers), KEYS)


async def test_bytes_that_are_no_text_are_refused_as_well(aiohttp_server: MakeServer) -> None:
    async def handle(request: web.Request) -> web.Response:
        require_key(request, KEYS)
        return web.Response()

    app = web.Application()
    app.router.add_get("/", handle)
    server = await aiohttp_server(app)
    reader, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \xff\r\n\r\n")
    assert await reader.readline() == b"HTTP/1.1 401 Unauthorized\r\n"
    writer.close()
    await writer.wait_closed()


def test_no_key_is_asked_for_where_none_is_configured() -> None:
    require_key(make_mocked_request("GET", "/"), ())
