"""A configuration put together from defaults, file, environment and flags.

`Config` (server.config_schema) is frozen and passed in, never imported as a value.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from engines.config import LlmConfig
from engines.errors import ConfigError
from server.config_checks import check
from server.config_fields import all_fields, sections_of
from server.config_schema import (
    LANGUAGES,
    Config,
    ConversationConfig,
    InterruptionConfig,
    RestConfig,
    ServerConfig,
    TelephoneConfig,
)
from server.config_sources import (
    DEFAULT_FILE,
    flag_parser,
    from_environment,
    from_file,
    from_flags,
    refuse_unknown_flags,
)
from server.config_text import to_toml
from server.config_values import Setting, converted, unknown

__all__ = [
    "LANGUAGES",
    "Config",
    "ConfigError",
    "ConversationConfig",
    "InterruptionConfig",
    "RestConfig",
    "ServerConfig",
    "TelephoneConfig",
    "assemble",
    "parse",
]


def parse(argv: Sequence[str], environ: Mapping[str, str]) -> Config:
    """The configuration of a command line (without the program's name) and an environment.

    `--help` and `--print-config` print and raise `SystemExit(0)`. Raises `ConfigError` for anything
    that is not allowed, naming the field, the value, what is allowed and where the value came from.
    """
    flags, rest = flag_parser(Config).parse_known_args(argv)
    refuse_unknown_flags(rest, Config)
    values = vars(flags)
    file, print_config = values.pop("config"), values.pop("print_config")
    settings = [
        *_file_settings(file),
        *from_environment(environ, Config),
        *from_flags(values),
    ]
    config = assemble(settings)
    if print_config:
        sys.stdout.write(to_toml(config))
        raise SystemExit(0)
    return config


def assemble(settings: Iterable[Setting]) -> Config:
    """The configuration of these settings, later ones over earlier ones. Raises `ConfigError`.

    The starter translator is a default for the starter language model alone.
    """
    known = {item.path: item for item in all_fields(Config)}
    values: dict[str, dict[str, object]] = {name: {} for name in sections_of(Config)}
    origins: dict[str, str] = {}
    for setting in settings:
        if setting.path not in known:
            raise unknown(setting, known)
        item = known[setting.path]
        values[item.section][item.name] = converted(item, setting)
        origins[setting.path] = setting.origin
    sections = {name: kind(**values[name]) for name, kind in sections_of(Config).items()}
    config = Config(**sections)
    if "models" not in values["translate"] and config.llm.model != LlmConfig().model:
        config = replace(config, translate=replace(config.translate, models=()))
    check(config, origins)
    return config


def _file_settings(file: Path | None) -> list[Setting]:
    if file is None and not DEFAULT_FILE.exists():
        return []
    return from_file(file or DEFAULT_FILE, Config)
