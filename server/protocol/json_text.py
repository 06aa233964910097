"""JSON as it goes over the wires: RFC 8259 and nothing beyond it, in UTF-8."""

from typing import Any

import orjson

from engines.errors import ProtocolError

MAXIMUM_DEPTH = 100  # of what is in what: it has to be written again, and that takes a stack


def parse_json(text: str) -> Any:
    """The value of a JSON text that can be told back to the client. Raises `ProtocolError`."""
    try:
        value = orjson.loads(text)
        if text.count("{") + text.count("[") > MAXIMUM_DEPTH:
            _require_depth(value)
    except ValueError as error:
        raise ProtocolError(
            f"The message is not valid JSON: {error}.", code="invalid_json"
        ) from error
    return value


def write_json(value: object) -> bytes:
    """The JSON text of a value, in UTF-8. Raises `TypeError` for what has none."""
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)


def _require_depth(value: object) -> None:
    """Raise `ValueError` for what is nested too deep."""
    level = [value]
    for _ in range(MAXIMUM_DEPTH):
        inner = [list(part.values()) if isinstance(part, dict) else part for part in level]
        level = [item for part in inner if isinstance(part, list) for item in part]
        if not level:
            return
    raise ValueError(f"it is nested more than {MAXIMUM_DEPTH} deep")
