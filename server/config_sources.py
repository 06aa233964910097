"""Where settings come from: a TOML file, environment variables, flags."""

import argparse
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from engines.errors import ConfigError
from server.config_fields import Field, all_fields, allowed, sections_of
from server.config_text import toml_value
from server.config_values import Setting, unknown

DEFAULT_FILE = Path("tinig.toml")
ENVIRONMENT_PREFIX = "TINIG_"
SHORT_SECTION = "server"  # its flags may leave the section out: --port for --server.port


def from_file(path: Path, schema: type) -> list[Setting]:
    """The settings of a TOML file, each with its line. Raises `ConfigError`."""
    try:
        text = path.read_text(encoding="utf-8")
        tables = tomllib.loads(text)
    except OSError as error:
        raise ConfigError(f"The configuration {path} cannot be read: {error.strerror}.") from error
    except ValueError as error:  # bad UTF-8 or bad TOML
        raise ConfigError(f"The configuration {path} is not valid TOML: {error}.") from error
    settings = []
    for section, table in tables.items():
        if section not in sections_of(schema) or not isinstance(table, dict):
            origin = _origin(path, text, section, "")
            raise unknown(Setting(section, table, origin), sections_of(schema))
        settings += [
            Setting(f"{section}.{name}", value, _origin(path, text, section, name))
            for name, value in table.items()
        ]
    return settings


def from_environment(environ: Mapping[str, str], schema: type) -> list[Setting]:
    """The settings of `TINIG_<SECTION>_<FIELD>` variables. Raises `ConfigError`."""
    paths = {variable_of(field): field.path for field in all_fields(schema)}
    settings = []
    for name, value in environ.items():
        if not name.startswith(ENVIRONMENT_PREFIX):
            continue
        if name not in paths:
            raise unknown(Setting(name, value, "the environment"), paths)
        settings.append(Setting(paths[name], value, name, is_text=True))
    return settings


def from_flags(flags: Mapping[str, str]) -> list[Setting]:
    """The settings among parsed flags, which are keyed by path."""
    return [Setting(path, value, f"--{path}", is_text=True) for path, value in flags.items()]


def variable_of(field: Field) -> str:
    """The environment variable of a field: `TINIG_SERVER_PORT`."""
    return ENVIRONMENT_PREFIX + field.path.replace(".", "_").upper()


def flags_of(field: Field) -> list[str]:
    """The flags of a field: `--server.port` and, in the server's own section, `--port`."""
    long = f"--{field.path}"
    short = f"--{field.name.replace('_', '-')}"
    return [long, short] if field.section == SHORT_SECTION else [long]


def flag_parser(schema: type) -> argparse.ArgumentParser:
    """A parser with a flag for every field, grouped by section. It raises `ConfigError`."""
    parser = _Parser(
        usage="python -m server [--config FILE] [--SECTION.FIELD VALUE ...]",
        description="Tinig, an offline voice server. Settings are taken from the defaults, then "
        f"{DEFAULT_FILE}, then {ENVIRONMENT_PREFIX}<SECTION>_<FIELD> variables, then flags.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help=f"TOML file (./{DEFAULT_FILE} where it exists)"
    )
    parser.add_argument(
        "--print-config", action="store_true", help="print the effective settings and exit"
    )
    group_of = {name: parser.add_argument_group(name) for name in sections_of(schema)}
    for field in all_fields(schema):
        _add_flag(group_of[field.section], field)
    return parser


def refuse_unknown_flags(words: Sequence[str], schema: type) -> None:
    """Raise `ConfigError` for what the parser left over."""
    if not words:
        return
    known = [flag for field in all_fields(schema) for flag in flags_of(field)]
    raise unknown(Setting(words[0].partition("=")[0], None, "the command line"), known)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message[0].upper()}{message[1:]}. --help lists all flags.")


def _add_flag(group: "argparse._ArgumentGroup", field: Field) -> None:
    default = "" if field.secret else f" (default: {_shortened(toml_value(field.default))})"
    takes = f" Takes {allowed(field)}." if field.kind is not bool else ""
    group.add_argument(
        *flags_of(field),
        dest=field.path,
        default=argparse.SUPPRESS,
        metavar=field.name.upper(),
        nargs="?" if field.kind is bool else None,
        const="true" if field.kind is bool else None,
        help=f"{field.about}{takes}{default}".replace("%", "%%"),
    )


def _shortened(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."


def _origin(path: Path, text: str, section: str, name: str) -> str:
    """`tinig.toml, line 3`; only the file where the line is written in an unusual way."""
    number = _line_number(text.splitlines(), section, name)
    return f"{path}, line {number}" if number else str(path)


def _line_number(lines: Iterable[str], section: str, name: str) -> int | None:
    """The line of a field, or of the section itself when `name` is empty."""
    path = f"{section}.{name}" if name else section
    header = re.compile(r"\s*\[+\s*([\w.-]+)\s*\]+")
    assigned = re.compile(rf"\s*({re.escape(path)}|{re.escape(name or section)})\s*=")
    current = ""
    for number, line in enumerate(lines, start=1):
        if match := header.match(line):
            current = match[1]
            if current == path:
                return number
        elif current in {"", section} and assigned.match(line):
            return number
    return None
