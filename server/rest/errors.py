"""How an error looks to a client of the REST door: OpenAI's error object and an HTTP status."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from aiohttp import hdrs, web

from engines.errors import ContextTooLong, Overloaded, ProtocolError, TinigError

RETRY_SECONDS = "2"

_STATUS_OF_CODE = {
    "audio_too_long": 413,
    "body_too_large": 413,
    "model_not_found": 404,
    "translation_failed": 422,
    "request_timeout": 408,
    "session_busy": 409,
    "unsupported_media_type": 415,
}
_OPENAI_CODES = {"context_too_long": "context_length_exceeded"}  # that clients know already
_CODE_OF_STATUS = {
    401: "invalid_api_key",
    403: "origin_not_allowed",
    413: "body_too_large",
    503: "server_full",
}


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """What is wrong, and what to do about it."""

    message: str
    type: str
    param: str | None
    code: str


@dataclass(frozen=True, slots=True)
class ErrorResponse:
    """The answer to a request that failed."""

    error: ErrorBody


def status_of(error: TinigError) -> int:
    """400 for what the client can mend, 503 for what will pass, 500 for what is ours."""
    if isinstance(error, ProtocolError):
        return _STATUS_OF_CODE.get(error.code, 400)
    if isinstance(error, ContextTooLong):
        return 400
    return 503 if isinstance(error, Overloaded) else 500


def unknown(param: str, value: object, known: Iterable[str]) -> ProtocolError:
    """For a parameter that names something that is not here."""
    return ProtocolError(
        f"There is no {param} {value!r} here. Known: {', '.join(known)}.",
        code="invalid_value",
        param=param,
    )


def to_wire(error: TinigError) -> dict[str, Any]:
    """`{"error": {"message", "type", "param", "code"}}`."""
    code = _OPENAI_CODES.get(error.code, error.code)
    return _wire(str(error), status_of(error), code, getattr(error, "param", None))


def response(error: TinigError) -> web.Response:
    """The answer to a request that failed."""
    status = status_of(error)
    headers = {hdrs.RETRY_AFTER: RETRY_SECONDS} if status == 503 else {}
    return web.json_response(to_wire(error), status=status, headers=headers)


def refusal(error: web.HTTPException) -> web.Response:
    """An HTTP error of the door or of aiohttp itself, with its own headers."""
    code = _CODE_OF_STATUS.get(error.status, "invalid_request_error")
    kept = (hdrs.RETRY_AFTER, hdrs.WWW_AUTHENTICATE, hdrs.ALLOW)
    headers = {name: error.headers[name] for name in kept if name in error.headers}
    wire = _wire(error.text or error.reason, error.status, code, None)
    return web.json_response(wire, status=error.status, headers=headers)


def _wire(message: str, status: int, code: str, param: str | None) -> dict[str, Any]:
    kind = "server_error" if status >= 500 else "invalid_request_error"
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}
