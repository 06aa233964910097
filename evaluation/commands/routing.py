"""`python -m evaluation routing`: the ablation of the ways to an answer, in the report."""

import argparse
import asyncio
from pathlib import Path

from evaluation.ablation import Limits
from evaluation.ablation import __main__ as ablation
from evaluation.ablation.answers import settings_of
from evaluation.commands.common import Context, add_output, conclude
from evaluation.provenance import models_of

ABOUT = "The same questions by every way to an answer: right, in the language, how soon."


def add_options(parser: argparse.ArgumentParser) -> None:
    """Of this subcommand."""
    add_output(parser)
    add_routing_options(parser)


def add_routing_options(parser: argparse.ArgumentParser) -> None:
    """What `all` has too."""
    parser.add_argument(
        "--questions",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="MGSM .tsv; Belebele or GSM8K-like .jsonl (a small set in the starter models' domain)",
    )
    parser.add_argument(
        "--question-language", default="tl", help="of rows of --questions that name none (tl)"
    )
    parser.add_argument("--limit", type=int, help="questions at most")


def run(context: Context) -> int:
    """The exit status."""
    measure(context)
    return conclude(context)


def measure(context: Context) -> None:
    """All that is not answered yet. Raises `DataError` when there is no question to ask."""
    options, config, terminal = context.options, context.config, context.terminal
    files = options.questions or [ablation.OWN]
    questions = ablation.questions_of(files, options.question_language, terminal)
    limits = Limits()
    settings = settings_of(config, files, options.question_language, limits)
    context.begin("routing", models_of(config, "llm", "nmt"), settings)
    results = context.folder.results("routing")
    asked = questions[: options.limit]
    asyncio.run(ablation.measure(config, asked, results, terminal, limits=limits))
    if ablation.is_toy(files, config):
        terminal.aside(f"\n{ablation.STARTER_CAVEAT}")
