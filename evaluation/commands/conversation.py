"""`python -m evaluation conversation`: the scenarios and the demonstration, in real time."""

import argparse

from evaluation import demo
from evaluation.commands.common import Context, add_output, conclude
from evaluation.conversation.summary import DEMO_FILE, SCENARIOS_FILE
from evaluation.data.rows import DataError
from evaluation.provenance import models_of
from evaluation.scenarios import __main__ as scenarios

ABOUT = "Scripted conversations over the WebSocket, by tau-voice's metrics; voice to voice."


def add_options(parser: argparse.ArgumentParser) -> None:
    """Of this subcommand."""
    add_output(parser)
    add_conversation_options(parser)


def add_conversation_options(parser: argparse.ArgumentParser) -> None:
    """What `all` has too."""
    parser.add_argument("--seeds", type=int, default=1, help="of every scenario (1)")
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="NAME", help="scenarios that begin so"
    )
    parser.add_argument("--minutes", type=float, help="begin no scenario after so long")


def run(context: Context) -> int:
    """The exit status."""
    measure(context)
    return conclude(context)


def measure(context: Context) -> None:
    """Anew: a conversation cannot be taken up again. A goal that is missed is in the report.

    Raises `DataError` when none could be held.
    """
    options = context.options
    figures = [options.output / SCENARIOS_FILE, options.output / DEMO_FILE]
    for path in figures:
        path.unlink(missing_ok=True)
    models = models_of(context.config, "stt", "llm", "tts")
    context.begin("conversation", models, {"seeds": options.seeds})
    arguments = ["--output", str(figures[0].parent)]
    arguments += ["--seeds", str(options.seeds)]
    if options.only:
        arguments += ["--only", *options.only]
    if options.minutes:
        arguments += ["--minutes", str(options.minutes)]
    scenarios.main(arguments, context.config_flags)
    demo.main(["--output", str(figures[1].parent)], context.config_flags)
    if not all(path.exists() for path in figures):
        raise DataError("The conversations could not be held: see above.")
