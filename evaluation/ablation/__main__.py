"""`python -m evaluation.ablation FILE ... --language tl`: every way, on an owner's models.

Without a file: a small set of ours, in the starter models' own domain, to show that it works.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from engines.errors import ConfigError, ModelError
from evaluation.ablation import answers
from evaluation.ablation.report import report
from evaluation.ablation.run import Limits, Outcome, ablate
from evaluation.ablation.ways import Way, possible
from evaluation.data.questions import Question, read
from evaluation.data.rows import DataError, split
from evaluation.engines import engines_of
from evaluation.provenance import models_of, portable
from evaluation.results import Results, fingerprint
from evaluation.terminal import Terminal
from server.config import LANGUAGES, Config, parse

OWN = Path(__file__).with_name("own.jsonl")
STARTER_CAVEAT = (
    "The starter models are toys of a closed domain that were never taught to reason, and this set "
    "is ours: the figures show that the harness works and mean nothing about real models."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; the exit status."""
    options, rest = _parser().parse_known_args(arguments)
    terminal = Terminal(sys.stdout)
    try:
        _run(options, parse(rest, os.environ), terminal)
    except KeyboardInterrupt:
        kept = "the same command goes on from here" if options.output else "nothing was kept"
        print(f"\nStopped; {kept}.", file=sys.stderr)
        return 130
    except (ConfigError, DataError, ModelError, ValueError) as error:
        terminal.failure(str(error))
        return 1
    return 0


def _run(options: argparse.Namespace, config: Config, terminal: Terminal) -> None:
    files = options.files or [OWN]
    questions = questions_of(files, options.language, terminal)[: options.limit]
    limits = Limits(options.notes_tokens, options.answer_tokens)
    results = None
    if options.output:
        settings = answers.settings_of(config, files, options.language, limits)
        models = models_of(config, "llm", "nmt")
        results = Results(options.output, fingerprint(portable({**settings, "models": models})))
    outcomes = asyncio.run(
        measure(config, questions, results, terminal, limits=limits, ways=options.ways)
    )
    terminal.heading(f"{len(questions)} questions")
    terminal.line(report(outcomes))
    if is_toy(files, config):
        terminal.aside(f"\n{STARTER_CAVEAT}")
    if options.output:
        terminal.aside(f"Every answer is in {options.output}.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m evaluation.ablation",
        allow_abbrev=False,  # the server's flags are not ours
        description=(
            "Ask the same questions by every way to an answer (direct, native reasoning, LLM "
            "pivot, NMT pivot, structured); print how often each is right and what it adds to the "
            "time to the first clause, with 95% intervals."
        ),
        epilog=(
            "All flags of the server choose the models: --llm.model my.gguf --translate.models "
            '\'[{path = "opus-mt-tl-en", source = "tl", target = "en"}, ...]\'.'
        ),
    )
    parser.add_argument(
        "files", nargs="*", type=Path, help="questions: MGSM .tsv; Belebele or GSM8K-like .jsonl"
    )
    parser.add_argument(
        "--language", choices=LANGUAGES, default="tl", help="of rows that name none"
    )
    parser.add_argument(
        "--ways", nargs="+", choices=[way.value for way in Way], help="default: all possible ones"
    )
    parser.add_argument("--limit", type=int, help="questions at most")
    parser.add_argument("--notes-tokens", type=int, default=300, help="of hidden reasoning")
    parser.add_argument("--answer-tokens", type=int, default=200, help="of an answer")
    parser.add_argument(
        "--output",
        type=Path,
        help="file that keeps every answer, a JSON object a line; the same command goes on from it",
    )
    return parser


def questions_of(files: Sequence[Path], language: str, terminal: Terminal) -> list[Question]:
    """Of all files. Raises `DataError` when there are none."""
    questions = []
    for path in files:
        found, problems = split(read(path, language))
        questions += found
        for problem in problems:
            terminal.failure(str(problem))
    if not questions:
        raise DataError("There are no questions to ask.")
    return questions


def is_toy(files: Sequence[Path], config: Config) -> bool:
    """Whether figures say nothing of real models."""
    return files == [OWN] or config.llm == Config().llm


async def measure(
    config: Config,
    questions: Sequence[Question],
    results: Results | None,
    terminal: Terminal,
    *,
    limits: Limits,
    ways: Sequence[str] | None = None,
) -> list[Outcome]:
    """Ask what `results` does not have yet, by all possible ways if none are named; keep it there.

    Raises `ModelError`, and `ValueError` for a way that these models cannot go.
    """
    known = answers.known(results, questions) if results else {}
    async with engines_of(config, terminal) as engines:
        chosen = [Way(name) for name in ways] if ways else possible(engines)
        total = sum((question, way) not in known for question in questions for way in chosen)
        done = 0

        def tell(outcome: Outcome) -> None:
            nonlocal done
            done += 1
            if results:
                answers.append(results, outcome)
            mark = "+" if outcome.is_right else "-"
            said = " ".join(outcome.answer.split())[:60]
            terminal.aside(f"{done:>5}/{total} {mark} {outcome.way.value:<16} {said}")

        return await ablate(engines, questions, chosen, limits=limits, known=known, on_outcome=tell)


if __name__ == "__main__":
    sys.exit(main())
