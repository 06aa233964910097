"""What was measured, as a part of the documentation: tables, plots, and the command that made them.

`docs/performance.md` is written by hand but for a part for each benchmark, whose figures and plots
lie beside it.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evaluation.report.model import Plot
from evaluation.report.plots import svg
from scripts.marks import filled

DOCS = Path(__file__).resolve().parent.parent / "docs"
_PAGE = "performance.md"
_FOLDER = "performance"


@dataclass(frozen=True, slots=True)
class Found:
    """What a benchmark found: figures for machines, Markdown for readers, plots by their names."""

    figures: Any
    text: str
    plots: Mapping[str, Plot] = field(default_factory=dict)


def check_places(names: Iterable[str], docs: Path = DOCS) -> None:
    """Raise `ValueError`, before anything is measured, where the page has no place for a name."""
    filled((docs / _PAGE).read_text("utf-8"), dict.fromkeys(names, ""))


def publish(
    name: str, found: Found, *, command: str, machine: Mapping[str, Any], docs: Path = DOCS
) -> None:
    """Put it into the page in the place of what stood there. Raises `ValueError` where the page
    has no place for it."""
    folder = docs / _FOLDER
    folder.mkdir(exist_ok=True)
    body = json.dumps({"machine": machine, "command": command, name: found.figures}, indent=2)
    (folder / f"{name}.json").write_text(f"{body}\n", "utf-8")
    images = [_draw(folder, name, title, plot) for title, plot in found.plots.items()]
    made = (
        f"`{command}` ({machine['date']}, revision {machine['revision']}, {machine['cpus']} cores "
        f"of {machine['processor']}; [figures]({_FOLDER}/{name}.json)):"
    )
    page = docs / _PAGE
    part = "\n\n".join([made, found.text, *images])
    page.write_text(filled(page.read_text("utf-8"), {name: part}), "utf-8")


def _draw(folder: Path, name: str, title: str, plot: Plot) -> str:
    """Save a plot. Returns the Markdown that shows it."""
    file = f"{name}-{title.replace(' ', '-').lower()}.svg"
    (folder / file).write_text(f"{svg(plot)}\n", "utf-8")
    return f"![{plot.title}]({_FOLDER}/{file})"
