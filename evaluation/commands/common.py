"""What the subcommands share: the configuration under test, the sets, the report at the end."""

import argparse
import os
import shlex
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from evaluation.data import synthetic
from evaluation.data.layout import DATASETS, MANIFEST, Clip, Dataset, read_dataset
from evaluation.data.rows import DataError
from evaluation.provenance import Models, portable, provenance
from evaluation.report import markdown
from evaluation.results import with_progress
from evaluation.run_folder import REPORT, RunFolder, write_report
from evaluation.terminal import Terminal
from evaluation.thresholds import Threshold, failures
from server.config import Config, parse

TITLE = "Tinig: evaluation"
DEFAULT_OUTPUT = Path("eval-output")


@dataclass(frozen=True, slots=True)
class Context:
    """What a subcommand works with."""

    options: argparse.Namespace
    config: Config
    config_flags: Sequence[str]  # as given, for a server of our own
    terminal: Terminal

    @property
    def folder(self) -> RunFolder:
        """Of this run."""
        return RunFolder(self.options.output)

    def begin(self, part: str, models: Models, settings: dict[str, Any]) -> None:
        """Note what a part is measured with."""
        command = f"python -m evaluation {shlex.join(sys.argv[1:])}"
        origin = provenance(self.config, command, models)
        self.folder.begin(part, portable({**settings, "models": models}), origin)

    def tell(self, problems: Iterable[object]) -> None:
        """Say what could not be measured; the rest was."""
        for problem in problems:
            self.terminal.failure(f"  {problem}")


def context_of(options: argparse.Namespace, config_flags: Sequence[str]) -> Context:
    """The configuration comes from tinig.toml, the environment and flags, as the server's does.

    Raises `ConfigError`.
    """
    return Context(options, parse(config_flags, os.environ), config_flags, Terminal(sys.stdout))


# ---- options ------------------------------------------------------------------------------------


def add_output(parser: argparse.ArgumentParser) -> None:
    """Where results lie, and what the report is called."""
    parser.add_argument(
        "--output", type=Path, default=DEFAULT_OUTPUT, help="folder of the run (eval-output)"
    )
    parser.add_argument("--title", default=TITLE, help="of the report")
    parser.add_argument(
        "--note",
        action="append",
        default=[],
        help="paragraph at the head of the report; repeatable",
    )
    parser.add_argument(
        "--fail-above",
        action="append",
        default=[],
        metavar="FIGURE=LIMIT",
        help="exit status 1 if a figure of report.json is above: wer.hi=0.12; repeatable",
    )
    parser.add_argument(
        "--fail-below",
        action="append",
        default=[],
        metavar="FIGURE=LIMIT",
        help="exit status 1 if it is below: lid.all=0.95; repeatable",
    )


def add_data(parser: argparse.ArgumentParser) -> None:
    """Which recordings."""
    parser.add_argument(
        "--data",
        type=Path,
        nargs="+",
        metavar="FOLDER",
        help="sets in the plain layout; without it, all of datasets/, and synthetic ones",
    )
    parser.add_argument(
        "--sentences", type=int, default=40, help="of each language in a synthetic set (40)"
    )
    parser.add_argument(
        "--clips", type=int, default=0, help="at most so many of each language of a set (all)"
    )


# ---- sets ---------------------------------------------------------------------------------------


def datasets_of(context: Context) -> list[Dataset]:
    """The sets that were asked for. Raises `DataError` for one that is none."""
    options = context.options
    folders = options.data or [
        *sorted(manifest.parent for manifest in DATASETS.glob(f"*/{MANIFEST}")),
        *_synthetic_folders(options.output / "data", options.sentences),
    ]
    _check_names(folders)
    datasets = []
    for folder in folders:
        dataset, problems = read_dataset(folder)
        context.tell(problems)
        datasets.append(_beginning(dataset, options.clips) if options.clips else dataset)
    if not any(dataset.clips for dataset in datasets):
        raise DataError("There is nothing to measure on: the sets are empty.")
    return datasets


def _check_names(folders: Sequence[Path]) -> None:
    known: dict[str, Path] = {}
    for folder in folders:
        if known.setdefault(folder.name, folder) is not folder:
            raise DataError(
                f"Two sets are named {folder.name!r}: {known[folder.name]} and {folder}. Rename "
                "the folder of one: results know a set by its name."
            )


def _synthetic_folders(folder: Path, per_language: int) -> list[Path]:
    for name in with_progress(synthetic.NAMES, "synthetic sets"):
        for _ in synthetic.make(folder, name, per_language):
            pass
    return [folder / name for name in synthetic.NAMES]


def _beginning(dataset: Dataset, per_language: int) -> Dataset:
    """Its first clips of each language."""
    counts: dict[str, int] = {}
    chosen: list[Clip] = []
    for clip in dataset.clips:
        counts[clip.language] = counts.get(clip.language, 0) + 1
        if counts[clip.language] <= per_language:
            chosen.append(clip)
    return replace(dataset, clips=tuple(chosen))


# ---- the end ------------------------------------------------------------------------------------


def thresholds_of(options: argparse.Namespace) -> list[Threshold]:
    """The limits that were given. Raises `ValueError`."""
    upper = [Threshold.parse(text, is_upper=True) for text in options.fail_above]
    return upper + [Threshold.parse(text, is_upper=False) for text in options.fail_below]


def conclude(context: Context, folder: Path | None = None) -> int:
    """Write the report, print its head, and check the thresholds; the exit status."""
    options, terminal = context.options, context.terminal
    document = context.folder.document(options.title, options.note)
    target = folder or options.output
    write_report(document, target)
    terminal.heading(document.title)
    for section in document.sections:
        terminal.heading(section.title)
        for table in section.tables[:1]:
            for line in markdown.table_lines(table):
                terminal.line(line)
    terminal.line()
    terminal.line(f"The report is {target / REPORT}.html, .md and .json.")
    missed = failures(thresholds_of(options), document.figures)
    for failure in missed:
        terminal.failure(f"Threshold: {failure}")
    return 1 if missed else 0
