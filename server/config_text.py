"""A configuration as text: TOML that can be read back, and the reference page."""

import json
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from server.config_fields import (
    Field,
    all_fields,
    allowed,
    fields_of,
    is_required,
    item_kind,
    sections_of,
)


def to_toml(config: Any) -> str:
    """The configuration as TOML that loads to the same one. Secrets are left out, and counted."""
    blocks = []
    for name, section in sections_of(type(config)).items():
        values = getattr(config, name)
        lines = [_line(field, getattr(values, field.name)) for field in fields_of(section, name)]
        blocks.append("\n".join([f"[{name}]", *lines]))
    return "\n\n".join(blocks) + "\n"


def toml_value(value: Any) -> str:
    """One value as TOML. Each table of a list has a line of its own."""
    if isinstance(value, tuple):
        return _toml_list(value)
    if is_dataclass(value):
        pairs = ((field.name, getattr(value, field.name)) for field in fields(value))
        return "{ " + ", ".join(f"{name} = {toml_value(item)}" for name, item in pairs) + " }"
    if isinstance(value, float):
        return repr(value)
    # JSON writes texts, integers and booleans as TOML does, but for DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def to_markdown(schema: type, *, hidden: str) -> str:
    """The reference of all fields. `hidden` is cut out of defaults: a path of this machine."""
    blocks = [_PREFACE]
    for name, section in sections_of(schema).items():
        blocks.append(_table(f"[{name}]", section, fields_of(section, name), hidden))
    for field in all_fields(schema):
        item = item_kind(field.kind)
        if isinstance(item, type) and is_dataclass(item):
            schema_fields = fields_of(item, f"[{field.path}]")
            blocks.append(_table(f"[[{field.path}]]", item, schema_fields, hidden))
    return "\n\n".join(blocks) + "\n"


_PREFACE = """# Configuration

Written by `python -m scripts.generate_docs` from the configuration classes; a test fails when it
differs from them.

Settings are taken, the later over the earlier, from

1. the defaults below,
2. `tinig.toml` in the working directory; `--config FILE` names another,
3. environment variables `TINIG_<SECTION>_<FIELD>`: `TINIG_SERVER_PORT=9000`,
4. flags: `--server.port 9000`; those of `[server]` have a short form too, `--port 9000`.

Variables and flags write a list of texts with commas between, a list of tables as TOML does.
Relative paths start at the working directory; those among the defaults, at the repository. A name
that no field has is an error. `python -m server --print-config` prints the settings in effect, as
TOML that can be saved as `tinig.toml`; secrets are left out."""


def _line(field: Field, value: Any) -> str:
    if field.secret:
        what = f"{len(value)} set" if isinstance(value, tuple) else "set" if value else "not set"
        return f"# {field.name}: {what}{', not shown' if value else ''}"
    if value is None:
        return f"# {field.name} is not set"
    return f"{field.name} = {toml_value(value)}"


def _toml_list(values: Sequence[Any]) -> str:
    items = [toml_value(item) for item in values]
    if any(is_dataclass(item) for item in values):
        return "[\n" + "".join(f"    {item},\n" for item in items) + "]"
    return "[" + ", ".join(items) + "]"


def _table(title: str, section: type, section_fields: Sequence[Field], hidden: str) -> str:
    rows = [_row(field, hidden) for field in section_fields]
    head = ["| field | takes | default | |", "|---|---|---|---|"]
    return "\n".join([f"## {title}", "", section.__doc__ or "", "", *head, *rows])


def _row(field: Field, hidden: str) -> str:
    return f"| `{field.name}` | {allowed(field)} | {_default(field, hidden)} | {field.about} |"


def _default(field: Field, hidden: str) -> str:
    if is_required(field):
        return "must be set"
    if field.default is None:
        return "nothing"
    text = toml_value(field.default).replace(hidden, "")
    return "<br>".join(f"`{line.strip()}`" for line in text.splitlines())
