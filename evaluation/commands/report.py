"""`python -m evaluation report`, `compare` and `all`."""

import argparse
from pathlib import Path

from evaluation import compare
from evaluation.commands import conversation, routing, stt, tts
from evaluation.commands.common import Context, add_data, add_output, conclude, datasets_of
from evaluation.data.rows import DataError
from evaluation.report.markdown import table_lines
from evaluation.run_folder import RunFolder


class Report:
    """`report`: what was measured, again as a report."""

    ABOUT = "Write the report of what was measured again, here or elsewhere."

    @staticmethod
    def add_options(parser: argparse.ArgumentParser) -> None:
        """Of this subcommand."""
        add_output(parser)
        parser.add_argument("--to", type=Path, help="folder of the report (that of the run)")

    @staticmethod
    def run(context: Context) -> int:
        """The exit status."""
        return conclude(context, context.options.to)


class Compare:
    """`compare`: two runs side by side."""

    ABOUT = "Two runs side by side, clip by clip, with significance."

    @staticmethod
    def add_options(parser: argparse.ArgumentParser) -> None:
        """Of this subcommand."""
        parser.add_argument("first", type=Path, metavar="A", help="folder of a run")
        parser.add_argument("second", type=Path, metavar="B", help="folder of another")
        parser.add_argument(
            "--fail-if-worse",
            action="store_true",
            help="exit status 1 if B is worse anywhere but in its times",
        )

    @staticmethod
    def run(context: Context) -> int:
        """The exit status."""
        options, terminal = context.options, context.terminal
        changes = compare.changes(RunFolder(options.first), RunFolder(options.second))
        if not changes:
            raise DataError(f"{options.first} and {options.second} have no recording in common.")
        for line in table_lines(compare.table(changes)):
            terminal.line(line)
        worse = [change.name for change in changes if change.is_worse]
        if worse:
            terminal.failure(f"Worse in B: {', '.join(worse)}.")
        return 1 if worse and options.fail_if_worse else 0


class All:
    """`all`: everything, and one report."""

    ABOUT = "All of it, one after the other, into one report."

    @staticmethod
    def add_options(parser: argparse.ArgumentParser) -> None:
        """Of this subcommand."""
        add_output(parser)
        add_data(parser)
        stt.add_stt_options(parser)
        tts.add_tts_options(parser)
        routing.add_routing_options(parser)
        conversation.add_conversation_options(parser)

    @staticmethod
    def run(context: Context) -> int:
        """The exit status."""
        datasets = datasets_of(context)
        stt.measure(context, datasets)
        tts.measure(context, datasets)
        routing.measure(context)
        conversation.measure(context)
        return conclude(context)
