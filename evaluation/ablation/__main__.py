"""`python -m evaluation.ablation FILE ... --language tl`: every way, on an owner's models.

Without a file: a small set of ours, in the starter models' own domain, to show that it works.
"""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from engines.errors import ConfigError, ModelError
from engines.host import Engines
from evaluation.ablation.report import report
from evaluation.ablation.run import Limits, Outcome, ablate
from evaluation.ablation.ways import Way, possible
from evaluation.data.questions import Question, read
from evaluation.data.rows import DataError, split
from evaluation.engines import engines_of
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
        config = parse(rest, os.environ)
        questions = _questions(options.files or [OWN], options.language, terminal)
        outcomes = asyncio.run(_run(config, questions[: options.limit], options, terminal))
    except (ConfigError, DataError, ModelError, ValueError) as error:
        terminal.failure(str(error))
        return 1
    terminal.heading(f"{len(questions[: options.limit])} questions")
    terminal.line(report(outcomes))
    if not options.files or config.llm == Config().llm:
        terminal.aside(f"\n{STARTER_CAVEAT}")
    if options.output:
        _write(options.output, outcomes)
        terminal.aside(f"Every answer is in {options.output}.")
    return 0


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
    parser.add_argument("--output", type=Path, help="file for every answer, as JSON lines")
    return parser


def _questions(files: Sequence[Path], language: str, terminal: Terminal) -> list[Question]:
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


async def _run(
    config: Config,
    questions: Sequence[Question],
    options: argparse.Namespace,
    terminal: Terminal,
) -> list[Outcome]:
    async with engines_of(config, terminal) as engines:
        ways = _ways(options.ways, engines)
        total = len(questions) * len(ways)
        done = 0

        def tell(outcome: Outcome) -> None:
            nonlocal done
            done += 1
            mark = "+" if outcome.is_right else "-"
            said = " ".join(outcome.answer.split())[:60]
            terminal.aside(f"{done:>5}/{total} {mark} {outcome.way.value:<16} {said}")

        return await ablate(
            engines,
            questions,
            ways,
            limits=Limits(options.notes_tokens, options.answer_tokens),
            on_outcome=tell,
        )


def _ways(wanted: Sequence[str] | None, engines: Engines) -> Sequence[Way]:
    return [Way(name) for name in wanted] if wanted else possible(engines)


def _write(path: Path, outcomes: Sequence[Outcome]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for each in outcomes:
            row = {
                "id": each.question.id,
                "language": each.question.language,
                "way": each.way.value,
                "question": each.question.text,
                "wanted": each.question.answer,
                "answer": each.answer,
                "is_right": each.is_right,
                "first_clause_seconds": each.first_clause_seconds,
                "seconds": each.seconds,
                "fallback": each.fallback,
                "error": each.error,
            }
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    sys.exit(main())
