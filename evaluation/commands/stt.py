"""`python -m evaluation stt`: recordings whole, and a sample of them spoken into calls."""

import argparse
import asyncio
from collections.abc import Sequence
from dataclasses import asdict

from tqdm import tqdm

from evaluation.commands.common import (
    Context,
    add_data,
    add_output,
    conclude,
    datasets_of,
)
from evaluation.data.layout import Dataset
from evaluation.data.synthetic import without_synthetic
from evaluation.degradation import CONDITIONS
from evaluation.provenance import models_of
from evaluation.server_process import server_process
from evaluation.stt import streaming, whole
from evaluation.stt.heard import CLEAN

ABOUT = "Word error rates, language identification, hallucinations, speed; whole and streamed."


def add_options(parser: argparse.ArgumentParser) -> None:
    """Of this subcommand."""
    add_output(parser)
    add_data(parser)
    add_stt_options(parser)


def add_stt_options(parser: argparse.ArgumentParser) -> None:
    """What `all` has too."""
    parser.add_argument(
        "--conditions",
        nargs="+",
        choices=list(CONDITIONS),
        default=list(CONDITIONS),
        help="under which every recording is transcribed (all of them)",
    )
    parser.add_argument("--batch", type=int, default=1, help="recordings transcribed at once (1)")
    parser.add_argument(
        "--streaming",
        type=int,
        default=5,
        metavar="CLIPS",
        help="of each language of a set, spoken in real time into calls; 0: none (5)",
    )
    parser.add_argument("--calls", type=int, default=2, help="calls at once (2)")


def run(context: Context) -> int:
    """The exit status."""
    measure(context, datasets_of(context))
    return conclude(context)


def measure(context: Context, datasets: Sequence[Dataset]) -> None:
    """All that is not measured yet."""
    options, config = context.options, context.config
    languages = config.conversation.languages
    settings = {"stt": asdict(config.stt), "languages": languages}
    context.begin("stt", models_of(config, "stt"), settings)
    jobs = whole.plan(datasets, options.conditions)
    results = context.folder.results("stt")
    run_all = whole.measure(jobs, config.stt, languages, results, max(1, options.batch))
    context.tell(asyncio.run(run_all))
    if options.streaming:
        _stream(context, datasets)


def _stream(context: Context, datasets: Sequence[Dataset]) -> None:
    options, config = context.options, context.config
    settings = {"stt": asdict(config.stt), "conversation": asdict(config.conversation)}
    context.begin("streaming", models_of(config, "stt"), settings)
    results = context.folder.results("streaming")
    jobs = whole.pending(first_jobs(datasets, options.streaming), results)
    if not jobs:
        return
    flags = (*context.config_flags, "--host", "127.0.0.1", "--api-keys", "")
    with (
        server_process(options.output / "server.log", arguments=flags) as server,
        tqdm(total=len(jobs), desc="spoken into calls", disable=None) as bar,
    ):
        run_all = streaming.measure(
            jobs, server.realtime_url, results, options.calls, lambda _: bar.update()
        )
        context.tell(asyncio.run(run_all))


def first_jobs(datasets: Sequence[Dataset], per_language: int) -> list[whole.Job]:
    """What is spoken into calls: the first recordings of each language of a set."""
    counts: dict[tuple[str, str], int] = {}
    jobs = []
    for job in whole.plan(datasets, [CLEAN]):
        group = job.dataset.name, job.clip.language
        counts[group] = counts.get(group, 0) + 1
        if job.clip.language and counts[group] <= per_language:
            jobs.append(job)
    return without_synthetic(jobs, lambda job: job.dataset.name)
