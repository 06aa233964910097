"""Command line of the scenarios: plays them, prints the table, and says which goals were missed."""

import argparse
import asyncio
import json
import math
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from evaluation.caller import CallFailed
from evaluation.scenarios.catalogue import SCENARIOS, chosen
from evaluation.scenarios.figures import FIGURES, Outcome, outcomes, table
from evaluation.scenarios.lines import SILENCE_SECONDS
from evaluation.scenarios.runner import Job, Judged, Runner, plan
from evaluation.scenarios.words import words_by_language
from evaluation.server_process import ServerFailed, server_process
from evaluation.terminal import Terminal

# Whatever tinig.toml says; the caller who is silent for long is asked once if they are there.
_SERVER_ARGUMENTS = (
    "--host=127.0.0.1",
    "--api-keys=",
    f"--conversation.idle_seconds={0.95 * SILENCE_SECONDS:.0f}",
)


def main(arguments: Sequence[str] | None = None, config_flags: Sequence[str] = ()) -> int:
    """Play the scenarios; the exit status. `config_flags`: for a server of our own."""
    options = _parser().parse_args(arguments)
    terminal = Terminal(sys.stdout)
    try:
        scenarios = chosen(options.only)
    except ValueError as error:
        terminal.failure(str(error))
        return 2
    options.output.mkdir(parents=True, exist_ok=True)
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    jobs = plan(scenarios, options.languages, seeds)
    try:
        with _server_url(options, config_flags, terminal) as url:
            judged, health = asyncio.run(_play(url, options, jobs, terminal))
    except (ServerFailed, CallFailed) as failure:
        terminal.failure(str(failure))
        return 1
    return _conclude(judged, health, options.output, terminal)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m evaluation.scenarios",
        description=(
            "Hold conversations that are hard to hold with a server, in real time, and judge the "
            "recordings and events. Exit status 1: a goal was missed."
        ),
        epilog=_catalogue() + _glossary(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    known = list(words_by_language())
    parser.add_argument("--seeds", type=int, default=3, help="how often, each time otherwise (3)")
    parser.add_argument("--first-seed", type=int, default=0, help="to play one again (0)")
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="NAME", help="scenarios that begin so"
    )
    parser.add_argument("--languages", nargs="+", choices=known, default=known)
    parser.add_argument("--calls", type=int, default=2, help="calls at once (2)")
    parser.add_argument("--minutes", type=float, default=math.inf, help="begin none after so long")
    parser.add_argument(
        "--output", type=Path, default=Path("eval-output/conversation"), help="for what is left"
    )
    parser.add_argument("--keep", action="store_true", help="keep the recordings of all calls")
    parser.add_argument("--url", help="call this running server: ws://HOST:PORT/v1/realtime")
    parser.add_argument("--api-key", default="", help="of the server, if it asks for one")
    return parser


def _catalogue() -> str:
    lines = [f"  {scenario.name:<26}{scenario.about}" for scenario in SCENARIOS]
    return "scenarios:\n" + "\n".join(lines)


def _glossary() -> str:
    lines = [f"  {figure.name:<26}{figure.definition}" for figure in FIGURES.values()]
    return "\n\nfigures:\n" + "\n".join(lines)


@contextmanager
def _server_url(
    options: argparse.Namespace, config_flags: Sequence[str], terminal: Terminal
) -> Iterator[str]:
    """The server that was named, or one of our own."""
    if options.url:
        yield options.url
        return
    log = options.output / "server.log"
    with server_process(log, arguments=(*config_flags, *_SERVER_ARGUMENTS)) as server:
        terminal.line(f"The server is ready at {server.http_url}; its log is {log}.")
        yield server.realtime_url


async def _play(
    url: str, options: argparse.Namespace, jobs: Sequence[Job], terminal: Terminal
) -> tuple[list[Judged], dict[str, Any]]:
    runner = Runner(url, options.api_key, options.output, keep_all=options.keep)
    num_calls = sum(2 if job.scenario.then else 1 for job in jobs)
    terminal.heading(f"{num_calls} calls, {options.calls} at once")
    done = 0

    def show(judged: Judged) -> None:
        nonlocal done
        done += 1
        take = judged.take
        line = f"  {done:>4}  {take.scenario} · {take.language} · seed {take.seed}"
        terminal.aside(line) if not judged.failures else terminal.failure(line)
        for failure in judged.failures:
            what = failure.note or f"{failure.value:.0f}"
            terminal.failure(f"        {failure.figure}: {what}")

    until = time.monotonic() + 60 * options.minutes
    judged = await runner.run(jobs, options.calls, show, until)
    return judged, await runner.health()


def _conclude(
    judged: Sequence[Judged], health: dict[str, Any], output: Path, terminal: Terminal
) -> int:
    """Print the table and the verdict, write the figures; the exit status."""
    rows = outcomes([finding for each in judged for finding in each.findings])
    path = output / "figures.json"
    text = json.dumps(_record(judged, rows, health), ensure_ascii=False, indent=1)
    path.write_text(text + "\n", encoding="utf-8")
    terminal.heading(f"{len(judged)} calls")
    terminal.line(table(rows))
    terminal.line()
    terminal.line(f"The server's counters: drafts {health['drafts']}, turns {health['turns']}.")
    terminal.line(f"Figures, and the recordings of failures, are in {output}.")
    missed = [row.figure.name for row in rows if row.missed]
    if missed:
        terminal.failure(f"Goals missed: {', '.join(missed)}.")
        return 1
    terminal.success("All goals were met.")
    return 0


def _record(
    judged: Sequence[Judged], rows: Sequence[Outcome], health: dict[str, Any]
) -> dict[str, Any]:
    return {
        "figures": [
            {
                "name": row.figure.name,
                "definition": row.figure.definition,
                "label": row.label,
                "num": row.num_findings,
                "goals": [asdict(goal) for goal in row.figure.goals] if not row.label else [],
                "is_met": not row.missed,
                **row.values,
            }
            for row in rows
        ],
        "health": health,
        "takes": [
            {"name": each.take.name, "findings": [asdict(finding) for finding in each.findings]}
            for each in judged
        ],
    }


if __name__ == "__main__":
    sys.exit(main())
