"""Turning what somebody wrote into the value of a field, or saying what is wrong with it."""

import difflib
import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, is_dataclass
from typing import Any

from engines.errors import ConfigError
from server.config_fields import (
    Field,
    allowed,
    choices,
    fields_of,
    is_optional,
    is_required,
    item_kind,
    without_none,
)

_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True, slots=True)
class Setting:
    """One value that somebody set."""

    path: str  # "server.port"
    value: object
    origin: str  # "tinig.toml, line 3", "TINIG_SERVER_PORT", "--server.port"
    is_text: bool = False  # from the environment or a flag: still to be read as the field's type


def converted(field: Field, setting: Setting) -> object:
    """The setting's value as the field's type. Raises `ConfigError`."""
    value = setting.value
    if isinstance(value, str) and setting.is_text:
        value = _from_text(value, field.kind)
    return _checked(field, value, setting)


def unknown(setting: Setting, known: Iterable[str]) -> ConfigError:
    """The error for a name that no field has, with the closest one that exists."""
    close = difflib.get_close_matches(setting.path, list(known), n=1)
    advice = f"Did you mean {close[0]}?" if close else "docs/configuration.md lists all fields."
    return ConfigError(f"{setting.path} (from {setting.origin}) is not known. {advice}")


def _from_text(text: str, kind: Any) -> object:
    """Text as the TOML value that it stands for; as it is when it cannot be read as one."""
    if is_optional(kind) and not text:
        return None
    kind = without_none(kind)
    if (item := item_kind(kind)) is not None:
        return _list_from_text(text, item)
    if kind is bool:
        return _BOOLEANS.get(text.lower(), text)
    try:
        return kind(text) if kind in {int, float} else text
    except ValueError:
        return text


def _list_from_text(text: str, item: Any) -> object:
    """Tables are written as in TOML, `[{language = "en"}]`; plain texts with commas between."""
    if not is_dataclass(item):
        return [part.strip() for part in text.split(",") if part.strip()]
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _checked(field: Field, value: object, setting: Setting) -> object:
    if value is None and is_optional(field.kind):
        return None
    kind = without_none(field.kind)
    item = item_kind(kind)
    if item is not None and isinstance(value, list):
        return tuple(_checked_item(field, item, value, setting))
    if choices(kind):
        fits = value in choices(kind)
    elif kind is float:
        fits = isinstance(value, int | float) and not isinstance(value, bool)
    else:
        fits = type(value) is kind
    if not fits or not _within_bounds(field, value):
        raise _refused(field, value, setting.origin)
    return float(value) if kind is float and isinstance(value, int) else value


def _checked_item(
    field: Field, item: Any, values: list[object], setting: Setting
) -> Iterable[object]:
    for number, value in enumerate(values):
        if is_dataclass(item) and isinstance(value, dict):
            yield _table(item, value, f"{field.path}[{number}]", setting.origin)
        elif not is_dataclass(item) and type(value) is item:
            yield value
        else:
            raise _refused(field, values, setting.origin)


def _table(schema: Any, table: Mapping[str, object], path: str, origin: str) -> object:
    """A dataclass inside a list, such as one voice of `tts.voices`."""
    schema_fields = {field.name: field for field in fields_of(schema, path)}
    for name in table.keys() - schema_fields.keys():
        paths = [field.path for field in schema_fields.values()]
        raise unknown(Setting(f"{path}.{name}", table[name], origin), paths)
    for field in schema_fields.values():
        if is_required(field) and field.name not in table:
            raise ConfigError(f"{path} (from {origin}) needs {field.name}: {allowed(field)}.")
    values = {
        name: converted(schema_fields[name], Setting(f"{path}.{name}", value, origin))
        for name, value in table.items()
    }
    return schema(**values)


def _within_bounds(field: Field, value: object) -> bool:
    if not isinstance(value, int | float):
        return True
    if not math.isfinite(value):
        return False
    above = field.minimum is None or value >= field.minimum
    return above and (field.maximum is None or value <= field.maximum)


def _refused(field: Field, value: object, origin: str) -> ConfigError:
    shown = "its value" if field.secret else repr(value)
    return ConfigError(
        f"{field.path}: {shown} (from {origin}) is not allowed. It takes {allowed(field)}."
    )
