"""Answers that are sent while they are made, and clients that do not take them."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from aiohttp import hdrs, web

from engines.errors import TinigError
from server.config import RestConfig
from server.rest import errors

DONE = b"data: [DONE]\n\n"


class Stream:
    """A body in parts. Nothing is sent, not even the status, before the first part is there, so
    that a failure until then is an ordinary error."""

    def __init__(self, request: web.Request, config: RestConfig, content_type: str) -> None:
        self._request = request
        self._stall_seconds = config.stall_seconds
        self._response = web.StreamResponse(
            headers={hdrs.CONTENT_TYPE: content_type, hdrs.CACHE_CONTROL: "no-store"}
        )

    @property
    def has_begun(self) -> bool:
        """Whether the status has been sent."""
        return self._response.prepared

    async def write(self, data: bytes) -> None:
        """Send a part. Raises `ConnectionError` when the client has gone, or takes nothing."""
        try:
            async with asyncio.timeout(self._stall_seconds):
                if not self._response.prepared:
                    await self._response.prepare(self._request)
                await self._response.write(data)
        except TimeoutError as error:
            if self._request.transport is not None:
                self._request.transport.abort()
            raise ConnectionError("The client does not read.") from error

    async def end(self) -> web.StreamResponse:
        """Send the end."""
        if not self._response.prepared:
            await self._response.prepare(self._request)
        await self._response.write_eof()
        return self._response


async def send_parts(
    request: web.Request,
    config: RestConfig,
    content_type: str,
    parts: AsyncGenerator[bytes, None],
) -> web.StreamResponse:
    """A file in parts."""
    stream = Stream(request, config, content_type)
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
    stream = Stream(request, config, "text/event-stream")
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


def _event(body: Any) -> bytes:
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n".encode()
