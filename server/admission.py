"""Who may come in: keys, browsers' origins, and how many at once."""

import hmac
import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

from aiohttp import hdrs, web

REALTIME_SUBPROTOCOL = "realtime"
_KEY_SUBPROTOCOL = "openai-insecure-api-key."  # how a browser, which cannot set headers, sends it


def subprotocols(request: web.Request) -> list[str]:
    """What the client offers in `Sec-WebSocket-Protocol`."""
    offered = request.headers.getall(hdrs.SEC_WEBSOCKET_PROTOCOL, [])
    return [name.strip() for line in offered for name in line.split(",")]


def require_key(request: web.Request, keys: Sequence[str]) -> None:
    """Raise 401 unless the request carries one of the keys, or none is configured."""
    if keys and not _is_known(key_of(request), keys):
        raise web.HTTPUnauthorized(
            text="This server needs an API key: send 'Authorization: Bearer KEY'.",
            headers={hdrs.WWW_AUTHENTICATE: "Bearer"},
        )


def require_origin(request: web.Request, allowed_origins: Sequence[str]) -> None:
    """Raise 403 for a page of another origin, which would speak in its visitor's name.

    A page of this server's own is known by its address or as localhost. Another name has to be
    among the allowed origins: anybody can point a name of theirs here once their page is open in
    a browser (DNS rebinding), and origin and host then agree.
    """
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is None or origin in allowed_origins:
        return
    own = urlsplit(origin).netloc == request.host and _is_address(request.url.host)
    if not own:
        raise web.HTTPForbidden(
            text=f"Pages of {origin} may not use this server. To allow them, add the origin to "
            "server.allowed_origins."
        )


def require_room(taken: int, places: int, *, draining: bool) -> None:
    """Raise 503 when every place is taken, or the server is going down."""
    if taken < places and not draining:
        return
    reason = "The server is going down." if draining else f"All {places} places are taken."
    raise web.HTTPServiceUnavailable(
        text=f"{reason} Try again shortly.", headers={hdrs.RETRY_AFTER: "5"}
    )


def _is_address(host: str | None) -> bool:
    try:
        ipaddress.ip_address(host or "")
    except ValueError:
        return host == "localhost"
    return True


def key_of(request: web.Request) -> str:
    """The key that a request carries; empty when there is none."""
    scheme, _, key = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() == "bearer":
        return key.strip()
    for name in subprotocols(request):
        if name.startswith(_KEY_SUBPROTOCOL):
            return name.removeprefix(_KEY_SUBPROTOCOL)
    return ""


def _is_known(key: str, keys: Sequence[str]) -> bool:
    """Compared in constant time, with every key, so that timing tells nothing."""
    sent = key.encode(errors="surrogateescape")  # a header may hold any bytes
    matches = [hmac.compare_digest(sent, known.encode()) for known in keys]
    return any(matches)
