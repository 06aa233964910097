"""Requests and answers as dataclasses: each is read, written and described from one declaration.

Fields are declared with `engines.config.option` and `describe`, as the configuration is. Bounds
are of the value of a number, and of the length of a text or list. Annotations may be str, int,
float, bool, `Literal`, `Mapping[str, Any]`, `tuple[X, ...]`, such dataclasses, and unions of them.
"""

import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from engines.errors import ProtocolError
from server.protocol.fields import invalid

T = TypeVar("T")
Json = dict[str, Any]

_NAMES: dict[Any, tuple[str, str]] = {
    str: ("string", "a text"),
    int: ("integer", "a whole number"),
    float: ("number", "a number"),
    bool: ("boolean", "true or false"),
    types.NoneType: ("null", "null"),
}


def read(kind: type[T], value: object, path: str = "") -> T:
    """The dataclass `kind` from a JSON object. Raises `ProtocolError` naming the field."""
    if not isinstance(value, Mapping):
        raise invalid(path or "body", value, "an object")
    declared = _declared(cast(Any, kind))
    for name in value:
        if name not in declared:
            raise ProtocolError(
                f"Unknown parameter: '{_join(path, name)}'. Known here: {', '.join(declared)}.",
                code="unknown_parameter",
                param=_join(path, name),
            )
    found = {}
    for name, (field, annotation) in declared.items():
        if name in value:
            found[name] = _read(annotation, value[name], _join(path, name), field.metadata)
        elif field.default is MISSING:
            raise ProtocolError(
                f"Missing required parameter: '{_join(path, name)}'.",
                code="missing_required_parameter",
                param=_join(path, name),
            )
    return kind(**found)


def to_json(value: object) -> Any:
    """An answer as JSON: what is None by default is left out, what must be there is null."""
    if is_dataclass(value):
        return {
            field.name: to_json(getattr(value, field.name))
            for field in fields(value)
            if not (field.default is None and getattr(value, field.name) is None)
        }
    if isinstance(value, tuple):
        return [to_json(item) for item in value]
    return value


def from_text(kind: type, name: str, text: str) -> object:
    """A form's field, which is always text, as the JSON value that its annotation wants."""
    annotation = _declared(kind)[name][1] if name in _declared(kind) else str
    wanted = set(_alternatives(annotation))
    if bool in wanted and text.lower() in {"true", "false"}:
        return text.lower() == "true"
    try:
        return float(text) if float in wanted else int(text) if int in wanted else text
    except ValueError:
        return text


def is_list(kind: type, name: str) -> bool:
    """Whether a field takes several values."""
    return name in _declared(kind) and get_origin(_declared(kind)[name][1]) is tuple


def is_object(kind: type, name: str) -> bool:
    """Whether a field takes an object of any keys."""
    annotation = _declared(kind)[name][1] if name in _declared(kind) else None
    return any(get_origin(part) is Mapping for part in _alternatives(annotation))


def schema_of(kind: Any, components: Json) -> Json:
    """JSON Schema of an annotation; that of each dataclass goes into `components`, once."""
    if is_dataclass(kind):
        name = cast(type, kind).__name__
        if name not in components:
            components[name] = {}  # before its fields, which may refer to it
            components[name].update(_object_schema(cast(type, kind), components))
        return {"$ref": f"#/components/schemas/{name}"}
    parts = _alternatives(kind)
    if len(parts) > 1:
        return {"anyOf": [schema_of(part, components) for part in parts]}
    if get_origin(kind) is Literal:
        return {"type": "string", "enum": list(get_args(kind))}
    if get_origin(kind) is tuple:
        return {"type": "array", "items": schema_of(get_args(kind)[0], components)}
    return {"type": _NAMES[kind][0]} if kind in _NAMES else {"type": "object"}


def property_schemas(kind: type, components: Json) -> Json:
    """JSON Schema of each field, with what it is for, its bounds and its default."""
    return {
        name: _property(field, annotation, components)
        for name, (field, annotation) in _declared(kind).items()
    }


def required_fields(kind: type) -> list[str]:
    """The fields that have no default."""
    declared = _declared(cast(Any, kind))
    return [name for name, (field, _) in declared.items() if field.default is MISSING]


def _object_schema(kind: type, components: Json) -> Json:
    return {
        "type": "object",
        "description": (kind.__doc__ or "").strip(),
        "properties": property_schemas(kind, components),
        "required": required_fields(kind),
        "additionalProperties": False,
    }


def _property(field: Field[Any], annotation: Any, components: Json) -> Json:
    schema = schema_of(annotation, components)
    for part in schema.get("anyOf", [schema]):
        part.update(_bounds_schema(part, field.metadata))
    if "about" in field.metadata:
        schema["description"] = field.metadata["about"]
    if field.default is not MISSING and field.default is not None:
        schema["default"] = to_json(field.default)
    return schema


def _bounds_schema(schema: Json, bounds: Mapping[str, Any]) -> Json:
    suffix = {"string": "Length", "array": "Items", "integer": "imum", "number": "imum"}
    kind = suffix.get(schema.get("type", ""))
    if kind is None or "enum" in schema:
        return {}
    limits = {f"min{kind}": bounds.get("minimum"), f"max{kind}": bounds.get("maximum")}
    return {name: limit for name, limit in limits.items() if limit is not None}


def _read(kind: Any, value: object, path: str, bounds: Mapping[str, Any]) -> object:
    for part in _alternatives(kind):
        if _fits(part, value) and _is_within(value, bounds):
            return _converted(part, value, path)
    raise invalid(path, value, _in_words(kind, bounds))


def _converted(kind: Any, value: Any, path: str) -> object:
    if is_dataclass(kind):
        return read(cast(type, kind), value, path)
    if get_origin(kind) is tuple:
        item = get_args(kind)[0]
        return tuple(_read(item, each, f"{path}[{n}]", {}) for n, each in enumerate(value))
    return float(value) if kind is float else value


def _fits(kind: Any, value: object) -> bool:
    if get_origin(kind) is Literal:
        return isinstance(value, str) and value in get_args(kind)
    if kind in {int, float}:
        numbers = (int, float) if kind is float else (int,)
        return isinstance(value, numbers) and not isinstance(value, bool)
    if get_origin(kind) is tuple:
        return isinstance(value, list)
    return isinstance(value, kind) if kind in _NAMES else isinstance(value, Mapping)


def _is_within(value: object, bounds: Mapping[str, Any]) -> bool:
    size = len(value) if isinstance(value, str | list) else value
    if isinstance(size, bool) or not isinstance(size, int | float):
        return True
    minimum, maximum = bounds.get("minimum"), bounds.get("maximum")
    # Written so that NaN, which json.loads lets through, is within no bounds.
    return (minimum is None or size >= minimum) and (maximum is None or size <= maximum)


def _in_words(kind: Any, bounds: Mapping[str, Any]) -> str:
    parts = _alternatives(kind)
    words = " or ".join(_kind_in_words(part) for part in parts)
    minimum, maximum = bounds.get("minimum"), bounds.get("maximum")
    if minimum is None and maximum is None:
        return words
    is_list = any(get_origin(part) is tuple for part in parts)
    unit = " items" if is_list else " characters" if str in parts else ""
    limits = f"at most {maximum}" if minimum is None else f"{minimum} to {maximum}"
    return f"{words}, {limits}{unit}"


def _kind_in_words(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return " or ".join(repr(choice) for choice in get_args(kind))
    if get_origin(kind) is tuple:
        return f"a list of {_kind_in_words(get_args(kind)[0])}"
    return _NAMES[kind][1] if kind in _NAMES else "an object"


def _alternatives(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in {Union, types.UnionType} else (kind,)


@cache
def _declared(kind: Any) -> dict[str, tuple[Field[Any], Any]]:
    hints = get_type_hints(kind)
    return {field.name: (field, hints[field.name]) for field in fields(kind)}


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
