"""`python -m evaluation`: is it accurate, and how quick? Measured here, with no network."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Protocol

from engines.errors import ConfigError, EngineError, ModelError
from evaluation.caller import CallFailed
from evaluation.commands import bring, conversation, routing, stt, tts
from evaluation.commands.common import Context, context_of, thresholds_of
from evaluation.commands.report import All, Compare, Report
from evaluation.data.rows import DataError
from evaluation.server_process import ServerFailed

_DESCRIPTION = """Measure the models of the configuration (tinig.toml, TINIG_... variables, and
flags such as --stt.model FOLDER) and write a report. What was measured before is not measured
again: a run that was cut off is taken up where it was."""


class Command(Protocol):
    """A subcommand: a module, or a class that is never made."""

    ABOUT: str

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Its own."""

    def run(self, context: Context) -> int:
        """Do it; the exit status."""


_COMMANDS: Mapping[str, Command] = {
    "all": All,
    "stt": stt,
    "tts": tts,
    "routing": routing,
    "conversation": conversation,
    "report": Report,
    "compare": Compare,
    "import": bring,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand; the exit status: 1 when a threshold is not met, 2 for what cannot be."""
    options, config_flags = _parser().parse_known_args(arguments)
    try:
        if "fail_above" in options:
            thresholds_of(options)
        return _COMMANDS[options.command].run(context_of(options, config_flags))
    except KeyboardInterrupt:
        print("\nStopped; the same command goes on from here.", file=sys.stderr)
        return 130
    except (ConfigError, ModelError, DataError, ValueError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 2
    except (EngineError, OSError, ServerFailed, CallFailed) as error:
        print(error, "What was measured is kept: the same command goes on.", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m evaluation", description=_DESCRIPTION)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in _COMMANDS.items():
        command.add_options(
            commands.add_parser(name, help=command.ABOUT, description=command.ABOUT)
        )
    return parser


if __name__ == "__main__":
    sys.exit(main())
