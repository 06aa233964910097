"""Answers on their way, most while they are made, and clients that do not take them."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

from aiohttp import hdrs, web

from engines.errors import TinigError
from server.config import RestConfig
from server.rest import errors

DONE = b"data: [DONE]\n\n"

_PART_BYTES = 128 * 1024  # of a whole answer: more than what aiohttp sends without waiting


class Stream:
    """A body in parts. Nothing is sent, not even the status, before the first part is there, so
    that a failure until then is an ordinary error."""

    def __init__(
        self, request: web.Request, config: RestConfig, response: web.StreamResponse
    ) -> None:
        self._request = request
        self._stall_seconds = config.stall_seconds
        self._response = response

    @property
    def has_begun(self) -> bool:
        """Whether the status has been sent."""
        return self._response.prepared

    async def write(self, data: bytes) -> None:
        """Send a part. Raises `ConnectionError` when the client has gone, or takes nothing."""
        async with self._taken():
            await self._response.prepare(self._request)
            await self._response.write(data)

    async def end(self, data: bytes = b"") -> web.StreamResponse:
        """Send the last part, and the end. Raises as `write` does."""
        async with self._taken():
            await self._response.prepare(self._request)
            await self._response.write_eof(data)
        return self._response

    @asynccontextmanager
    async def _taken(self) -> AsyncIterator[None]:
        """What is sent in this block is taken in time, or the client is dropped."""
        try:
            async with asyncio.timeout(self._stall_seconds):
                yield
        except TimeoutError as error:
            if self._request.transport is not None:
                self._request.transport.abort()
            raise ConnectionError("The client does not read.") from error


async def send_whole(
    request: web.Request, config: RestConfig, whole: web.Response
) -> web.StreamResponse:
    """An answer that is there already, in parts: each has its time."""
    body = whole.body or b""
    assert isinstance(body, bytes)
    response = web.StreamResponse(status=whole.status, headers=whole.headers)
    response.cookies.update(whole.cookies)
    response.content_length = len(body)
    stream = Stream(request, config, response)
    last = max(0, len(body) - 1) // _PART_BYTES * _PART_BYTES
    for start in range(0, last, _PART_BYTES):
        await stream.write(body[start : start + _PART_BYTES])
    return await stream.end(body[last:])


async def send_parts(
    request: web.Request,
    config: RestConfig,
    content_type: str,
    parts: AsyncGenerator[bytes, None],
) -> web.StreamResponse:
    """A file in parts."""
    stream = Stream(request, config, _endless(content_type))
    async with aclosing(parts):
        async for part in parts:
            await stream.write(part)
    return await stream.end()


async def send_events(
    request: web.Request,
    config: RestConfig,
    events: AsyncGenerator[Any, None],
    *,
    last: bytes = b"",
) -> web.StreamResponse:
    """JSON objects as server-sent events, and `last` after them.

    An error after the first event is the last event; one before it is raised.
    """
    stream = Stream(request, config, _endless("text/event-stream"))
    try:
        async with aclosing(events):
            async for event in events:
                await stream.write(_event(event))
    except TinigError as error:
        if not stream.has_begun:
            raise
        await stream.write(_event(errors.to_wire(error)))
    else:
        if last:
            await stream.write(last)
    return await stream.end()


def _endless(content_type: str) -> web.StreamResponse:
    """An answer of a length that nobody knows yet."""
    headers = {hdrs.CONTENT_TYPE: content_type, hdrs.CACHE_CONTROL: "no-store"}
    return web.StreamResponse(headers=headers)


def _event(body: Any) -> bytes:
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n".encode()
