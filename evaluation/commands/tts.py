"""`python -m evaluation tts`: texts spoken by every voice and heard by a recognizer."""

import argparse
import asyncio
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from evaluation.commands.common import Context, add_data, add_output, conclude, datasets_of
from evaluation.data.layout import Dataset
from evaluation.provenance import hashes, models_of
from evaluation.tts import round_trip

ABOUT = "Round-trip word error rates, first audio, speed, clipping and silence, by voice."


def add_options(parser: argparse.ArgumentParser) -> None:
    """Of this subcommand."""
    add_output(parser)
    add_data(parser)
    add_tts_options(parser)


def add_tts_options(parser: argparse.ArgumentParser) -> None:
    """What `all` has too."""
    parser.add_argument("--texts", type=int, default=20, help="of each language (20)")
    parser.add_argument(
        "--judge",
        type=Path,
        help="folder of another Whisper in CTranslate2 format, to hear the voices with",
    )


def run(context: Context) -> int:
    """The exit status."""
    measure(context, datasets_of(context))
    return conclude(context)


def measure(context: Context, datasets: Sequence[Dataset]) -> None:
    """All that is not measured yet."""
    options, config = context.options, context.config
    own = config.stt
    judge = replace(own, model=str(options.judge)) if options.judge else own
    judge_files = hashes([Path(judge.model)])
    settings = {
        "tts": asdict(config.tts),
        "regions": config.conversation.regions,
        "judge": judge.model,
        "judge_is_own": judge_files == hashes([Path(own.model)]),
    }
    models = {**models_of(config, "tts"), "judge": judge_files}
    context.begin("tts", models, settings)
    jobs = round_trip.plan(datasets, config, options.texts)
    results = context.folder.results("tts")
    context.tell(asyncio.run(round_trip.measure(jobs, config.tts, judge, results)))
