"""The fields of a configuration schema: nested frozen dataclasses, read once into a flat list.

`server.config` declares the schema; loading, `--help`, `--print-config` and the reference page all
work from these descriptions, so that none of them can leave a field out.
"""

import types
from dataclasses import MISSING, dataclass, fields
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a section: where it stands, what it takes and what it is for."""

    path: str  # "server.port"
    kind: Any  # its annotation
    default: object  # `MISSING` when it must be set
    about: str
    minimum: float | None
    maximum: float | None
    secret: bool

    @property
    def section(self) -> str:
        """The part before the last full stop."""
        return self.path.rpartition(".")[0]

    @property
    def name(self) -> str:
        """The part after the last full stop."""
        return self.path.rpartition(".")[2]


def sections_of(schema: type) -> dict[str, type]:
    """Section names of a configuration class and the dataclass of each."""
    hints = get_type_hints(schema)
    return {section.name: hints[section.name] for section in fields(schema)}


def fields_of(section: type, path: str) -> tuple[Field, ...]:
    """The fields of one dataclass, `path` before each name."""
    hints = get_type_hints(section)
    return tuple(
        Field(
            path=f"{path}.{item.name}", kind=hints[item.name], default=item.default, **item.metadata
        )
        for item in fields(section)
    )


def all_fields(schema: type) -> tuple[Field, ...]:
    """Every field of every section, in the order of their declaration."""
    return tuple(
        field for name, section in sections_of(schema).items() for field in fields_of(section, name)
    )


def is_required(field: Field) -> bool:
    """Whether the field has no default."""
    return field.default is MISSING


def without_none(kind: Any) -> Any:
    """`X` for `X | None`, any other annotation as it is."""
    if get_origin(kind) in {Union, types.UnionType}:
        return next(part for part in get_args(kind) if part is not types.NoneType)
    return kind


def is_optional(kind: Any) -> bool:
    """Whether the annotation is `X | None`."""
    return without_none(kind) is not kind


def item_kind(kind: Any) -> Any:
    """`X` for `tuple[X, ...]`, otherwise None."""
    return get_args(kind)[0] if get_origin(kind) is tuple else None


def choices(kind: Any) -> tuple[str, ...]:
    """The values of a `Literal`, otherwise nothing."""
    return get_args(kind) if get_origin(kind) is Literal else ()


def allowed(field: Field) -> str:
    """What the field takes, as words: "an integer from 0 to 65535"."""
    kind = without_none(field.kind)
    words = _kind_words(kind) + _bounds_words(field)
    return f"{words}, or nothing" if is_optional(field.kind) else words


def _kind_words(kind: Any) -> str:
    if choices(kind):
        return "one of " + ", ".join(f'"{choice}"' for choice in choices(kind))
    if (item := item_kind(kind)) is not None:
        return "a list of texts" if item is str else "a list of tables"
    return {bool: "true or false", int: "an integer", float: "a number", str: "a text"}[kind]


def _bounds_words(field: Field) -> str:
    if field.minimum is not None and field.maximum is not None:
        return f" from {field.minimum} to {field.maximum}"
    if field.minimum is not None:
        return f", at least {field.minimum}"
    if field.maximum is not None:
        return f", at most {field.maximum}"
    return ""
