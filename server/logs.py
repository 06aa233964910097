"""Structured logs: lines for people or JSON lines, each with the session and the turn's epoch."""

import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

from aiohttp.http_exceptions import HttpProcessingError

_LONGEST_FAULT = 100  # characters of what is wrong with a request

_session: ContextVar[str] = ContextVar("session", default="")
_epoch: ContextVar[int | None] = ContextVar("epoch", default=None)

# What a record has by itself; anything else was given as `extra`.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def configure(
    log_format: Literal["text", "json"] = "text",
    log_level: Literal["debug", "info", "warning", "error"] = "info",
    *,
    stream: TextIO | None = None,
) -> None:
    """Send all logs to one stream (standard error), in place of what was configured before."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    handler.addFilter(_add_context)
    handler.addFilter(_soften_bad_requests)
    logging.basicConfig(level=log_level.upper(), handlers=[handler], force=True)


def bind(*, session: str | None = None, epoch: int | None = None) -> None:
    """Put these on every later line of the running task, and of the tasks that it starts."""
    if session is not None:
        _session.set(session)
    if epoch is not None:
        _epoch.set(epoch)


class TextFormatter(logging.Formatter):
    """`02:40:11.123 INFO server.session [s-1 epoch 3] turn answered first_audio_ms=212`."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, and the traceback under it where there is one."""
        time = _time_of(record).astimezone().strftime("%H:%M:%S.%f")[:-3]
        fields = _fields_of(record)
        session, epoch = fields.pop("session", ""), fields.pop("epoch", None)
        where = " ".join([str(session), f"epoch {epoch}" if epoch is not None else ""]).strip()
        parts = [time, record.levelname, record.name, f"[{where}]" if where else ""]
        parts += [record.getMessage(), *(f"{name}={value}" for name, value in fields.items())]
        line = " ".join(part for part in parts if part)
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time (UTC, ISO 8601), level, logger, message, then the fields."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; a field that JSON does not know is written as text."""
        line: dict[str, Any] = {
            "time": _time_of(record).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_fields_of(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def _add_context(record: logging.LogRecord) -> bool:
    """A filter that drops nothing. A field given with the line goes before the task's own."""
    if session := _session.get():
        record.__dict__.setdefault("session", session)
    if (epoch := _epoch.get()) is not None:
        record.__dict__.setdefault("epoch", epoch)
    return True


def _soften_bad_requests(record: logging.LogRecord) -> bool:
    """A filter that makes a line of what aiohttp tells of a request that is no HTTP: a stranger's
    fault, and a traceback with all that they sent."""
    error = record.exc_info[1] if record.exc_info else None
    if not isinstance(error, HttpProcessingError):
        return True
    what = error.message.partition("\n")[0].rstrip(":")
    record.msg, record.args = f"{record.getMessage()}: {what[:_LONGEST_FAULT]}", ()
    record.levelno, record.levelname, record.exc_info = logging.INFO, "INFO", None
    return logging.getLogger().isEnabledFor(logging.INFO)


def _time_of(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _fields_of(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}
