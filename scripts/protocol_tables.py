"""The tables of `docs/protocol.md`, from what decodes and encodes the OpenAI Realtime protocol."""

import inspect
import json
from collections.abc import Iterable

from server.protocol.realtime_commands import HANDLERS
from server.protocol.realtime_session import to_wire
from server.protocol.realtime_table import EXTENSION_EVENTS, SERVER_EVENTS
from server.settings import Settings


def tables() -> dict[str, str]:
    """Markdown by the name of its place in the page."""
    extensions = {f"tinig.{name}": sentence for name, sentence in EXTENSION_EVENTS.items()}
    client = {name: _description(handler) for name, handler in HANDLERS.items()}
    return {
        "client events": _table(client.items()),
        "server events": _table(SERVER_EVENTS.items()),
        "extension events": _table(extensions.items()),
        "session": _session(),
    }


def _table(rows: Iterable[tuple[str, str]]) -> str:
    lines = ["| event | what it says |", "|---|---|"]
    return "\n".join([*lines, *(f"| `{name}` | {sentence} |" for name, sentence in rows)])


def _description(handler: object) -> str:
    return " ".join((inspect.getdoc(handler) or "").split())


def _session() -> str:
    """A session before its client asks for anything; what differs from call to call is left out."""
    session = to_wire(Settings(), "")
    for name in ("id", "expires_at"):
        del session[name]
    return f"```json\n{json.dumps(session, indent=2)}\n```"
