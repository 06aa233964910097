"""`make eval-languages`: identification by length, switching, routing, the ways to an answer."""

import argparse
import asyncio
import os
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from engines.errors import ConfigError, ModelError
from engines.host import Engines
from evaluation.ablation import ablate, report
from evaluation.ablation.__main__ import OWN, STARTER_CAVEAT
from evaluation.ablation.ways import possible
from evaluation.data.questions import Question, read
from evaluation.engines import engines_of
from evaluation.languages import identification, latency, routing, switching
from evaluation.languages.queries import held_out, labelled
from evaluation.languages.scenarios import scenarios
from evaluation.server_process import ServerFailed, server_process
from evaluation.terminal import Terminal
from scripts.train_starter.domain import sentences
from server.config import LANGUAGES, Config, parse

PARTS = ("identification", "switching", "routing", "ablation", "latency")
_LATENCY_LANGUAGE = "tl"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the parts; the exit status is 1 where one could not be run."""
    options, rest = _parser().parse_known_args(arguments)
    terminal = Terminal(sys.stdout)
    try:
        config = parse(rest, os.environ)
        asyncio.run(_run(options, config, rest, terminal))
    except (ConfigError, ModelError, ServerFailed) as error:
        terminal.failure(str(error))
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m evaluation.languages",
        allow_abbrev=False,  # the server's flags are not ours
        description="Measure what the server believes of languages, and the ways to an answer.",
        epilog="All flags of the server are taken too: --llm.model my.gguf.",
    )
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument(
        "--utterances", type=int, default=40, help="of each language, for the identification"
    )
    parser.add_argument("--questions", type=int, default=12, help="for the latency of each way")
    parser.add_argument("--seed", type=int, default=0)
    return parser


async def _run(
    options: argparse.Namespace, config: Config, flags: Sequence[str], terminal: Terminal
) -> None:
    if "routing" in options.parts:
        terminal.heading("Routing: agreement with a person's labels")
        terminal.line(routing.table(labelled()))
        terminal.heading("The same on questions labelled before the router had read them")
        terminal.line(routing.table(held_out()))
    if "switching" in options.parts:
        await _switching(flags, terminal)
    if {"identification", "ablation", "latency"}.isdisjoint(options.parts):
        return
    async with engines_of(config, terminal) as engines:
        if "identification" in options.parts:
            await _identification(engines, options, terminal)
        if "ablation" in options.parts:
            await _ablation(engines, config, terminal)
        if "latency" in options.parts:
            await _latency(engines, options, terminal)


async def _identification(
    engines: Engines, options: argparse.Namespace, terminal: Terminal
) -> None:
    terminal.heading("Identification of a first utterance: believed (the recognizer alone)")
    rng = random.Random(options.seed)
    spoken = []
    for language in LANGUAGES:
        pool = [one.text for group in sentences(language, "test").values() for one in group]
        spoken += [
            (language, text) for text in rng.sample(pool, min(len(pool), options.utterances))
        ]
    found = []
    async for each in identification.identify_all(engines.stt, spoken, options.seed):
        found.append(each)
        if len(found) % 20 == 0:
            terminal.aside(f"{len(found):>4}/{len(spoken)} utterances")
    terminal.line(identification.table(found))


async def _switching(flags: Sequence[str], terminal: Terminal) -> None:
    terminal.heading("Switching: turns answered in another language than was due")
    flips = []
    with tempfile.TemporaryDirectory() as folder:
        arguments = [*flags, "--host", "127.0.0.1", "--api-keys", ""]
        with server_process(Path(folder) / "server.log", arguments=arguments) as server:
            for scenario in scenarios():
                async for flip in switching.hold(server.realtime_url, scenario):
                    flips.append(flip)
                    show = terminal.failure if flip.is_wrong else terminal.aside
                    answered = flip.answered_in or "not answered"
                    show(f"{flip.scenario:<11} {flip.line.due} due, {answered:<3} {flip.heard}")
    for scenario in scenarios():
        own = [flip for flip in flips if flip.scenario == scenario.name]
        wrong = sum(flip.is_wrong for flip in own)
        terminal.line(f"{scenario.name}: {wrong} wrong of {len(own)} turns")


async def _ablation(engines: Engines, config: Config, terminal: Terminal) -> None:
    terminal.heading("The ways to an answer, on a small set of ours")
    questions = [each for each in read(OWN, "en") if isinstance(each, Question)]
    outcomes = await ablate(engines, questions, possible(engines))
    terminal.line(report(outcomes))
    _caveat(config, terminal)


async def _latency(engines: Engines, options: argparse.Namespace, terminal: Terminal) -> None:
    terminal.heading(f"Latency of the ways, {_LATENCY_LANGUAGE}, in one run")
    rng = random.Random(options.seed)
    groups = sentences(_LATENCY_LANGUAGE, "train")
    pool = [rng.choice(group).text for group in groups.values()]
    texts = rng.sample(pool, min(len(pool), options.questions))
    terminal.line(latency.table(await latency.measure(engines, texts, _LATENCY_LANGUAGE)))


def _caveat(config: Config, terminal: Terminal) -> None:
    if config.llm == Config().llm:
        terminal.aside(f"\n{STARTER_CAVEAT}")


if __name__ == "__main__":
    sys.exit(main())
