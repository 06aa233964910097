"""`python -m evaluation routing`: the ablation of the ways to an answer, in the report."""

import argparse
from pathlib import Path

from evaluation.ablation import __main__ as ablation
from evaluation.commands.common import Context, add_output, conclude
from evaluation.data.rows import DataError
from evaluation.provenance import models_of
from evaluation.routing.summary import ANSWERS_FILE

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
    """Anew. Raises `DataError` when no question could be asked."""
    options = context.options
    answers = options.output / ANSWERS_FILE
    answers.parent.mkdir(parents=True, exist_ok=True)
    answers.unlink(missing_ok=True)
    settings = {"questions": options.questions, "limit": options.limit}
    context.begin("routing", models_of(context.config, "llm", "nmt"), settings)
    arguments = [*map(str, options.questions), "--language", options.question_language]
    if options.limit:
        arguments += ["--limit", str(options.limit)]
    status = ablation.main([*arguments, "--output", str(answers), *context.config_flags])
    if status:
        raise DataError("The ways to an answer could not be measured: see above.")
