"""`python -m evaluation import`: recordings of others, or of one's own, into the plain layout."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from evaluation.commands.common import Context
from evaluation.data import common_voice, fleurs, folder
from evaluation.data.layout import Recording, write_dataset
from evaluation.data.rows import DataError, Problem, split
from evaluation.results import with_progress

ABOUT = "Bring recordings with transcripts into the plain layout, once."


def add_options(parser: argparse.ArgumentParser) -> None:
    """Of this subcommand."""
    parser.add_argument("kind", choices=["list", "fleurs", "common-voice"])
    parser.add_argument(
        "source",
        type=Path,
        help="list: a .csv or .jsonl of audio and text; fleurs: a .parquet, or a .tsv with its "
        "WAVs beside it; common-voice: the folder of a language",
    )
    parser.add_argument("folder", type=Path, help="of the set: datasets/NAME is found by itself")
    parser.add_argument(
        "--language", default="", help="en, es, fr, hi, tl; fleurs: en_us, es_419, hi_in, ..."
    )
    parser.add_argument("--audio", type=Path, help="fleurs .tsv: folder or archive of its WAVs")
    parser.add_argument("--split", default="test", help="common-voice (test)")


def run(context: Context) -> int:
    """The exit status: 1 when nothing could be read."""
    options = context.options
    items = list(with_progress(list(_source(options)), "read"))
    added, problems = split(write_dataset(options.folder, items))
    context.tell(problems)
    context.terminal.line(f"{len(added)} recordings are in {options.folder}.")
    return 0 if added else 1


def _source(options: argparse.Namespace) -> Iterator[Recording | Problem]:
    source: Path = options.source
    if options.kind == "list":
        return folder.read(source, options.language)
    if options.kind == "common-voice":
        return common_voice.read(source, options.language, options.split)
    if source.suffix == ".parquet":
        return fleurs.read_parquet(source, options.language)
    if source.suffix == ".tsv":
        return fleurs.read_tsv(source, options.audio or source.parent, options.language)
    raise DataError(f"{source} is neither .parquet nor .tsv.")
