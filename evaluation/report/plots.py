"""Plots as SVG: text stays text, colours are the page's, and the width is that of the screen."""

import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from evaluation.report.model import Bars, Distribution, Lines, Matrix, Plot, Waterfall

COLOURS = ("#3b6ea8", "#d1802e", "#4f9d69", "#b0476a", "#7a6bb5", "#8a8a8a")
_INK = "#777777"  # legible on white and on black
_WIDTH_INCHES = 4.6  # small, so that its text can be read on a phone
_LEGEND_CHARACTERS = 56
_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
_NUMBERED_ID = re.compile(r' id="[\w.]+_\d+"')  # the same in every plot, and nothing refers to it
_STYLE = Path(__file__).with_name("plots.mplstyle")


def svg(plot: Plot) -> str:
    """An `<svg>` element."""
    draw: dict[type, Callable[[Axes, Any], None]] = {
        Bars: _bars,
        Distribution: _distribution,
        Lines: _lines,
        Matrix: _matrix,
        Waterfall: _waterfall,
    }
    with _canvas(_height_inches(plot)) as (canvas, axes):
        draw[type(plot)](axes, plot)
        buffer = io.StringIO()
        canvas.savefig(buffer, format="svg", transparent=True, metadata=_NO_METADATA)
    text = buffer.getvalue()
    return _NUMBERED_ID.sub("", text[text.index("<svg") :])


@contextmanager
def _canvas(height_inches: float) -> Iterator[tuple[Canvas, Axes]]:
    with style.context(_STYLE):
        canvas = Canvas(figsize=(_WIDTH_INCHES, height_inches), layout="constrained")
        yield canvas, canvas.add_subplot()


def _height_inches(plot: Plot) -> float:
    match plot:
        case Matrix():
            return 0.9 + 0.5 * len(plot.rows)
        case Waterfall():
            return 0.8 + 0.36 * len(plot.steps)
        case _:
            return 3.0


def _bars(axes: Axes, plot: Bars) -> None:
    series = list(dict.fromkeys(name for group in plot.groups.values() for name in group))
    width = 0.8 / len(series)
    for index, name in enumerate(series):
        own = [(at, group[name]) for at, group in enumerate(plot.groups.values()) if name in group]
        values = [100 * interval.value for _, interval in own]
        below = [max(0.0, 100 * (i.value - i.low)) for _, i in own]
        above = [max(0.0, 100 * (i.high - i.value)) for _, i in own]
        axes.bar(
            [at + (index - (len(series) - 1) / 2) * width for at, _ in own],
            values,
            width * 0.9,
            yerr=[below, above],
            color=COLOURS[index % len(COLOURS)],
            error_kw={"ecolor": _INK, "elinewidth": 1.0, "capsize": 2},
            label=name,
        )
    axes.set_xticks(range(len(plot.groups)), list(plot.groups))
    axes.set_ylabel(plot.unit)
    axes.set_ylim(bottom=0)
    if len(series) > 1:
        _legend(axes, series)


def _legend(axes: Axes, names: Sequence[str]) -> None:
    """Above the plot, in as many columns as its width has room for."""
    columns = max(1, min(len(names), _LEGEND_CHARACTERS // (max(map(len, names)) + 6)))
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, fontsize=8)


def _distribution(axes: Axes, plot: Distribution) -> None:
    for index, (name, values) in enumerate(plot.series.items()):
        ordered = np.sort(np.asarray(values, float))
        if not len(ordered):
            continue
        shares = np.arange(1, len(ordered) + 1) / len(ordered) * 100
        axes.step(
            ordered,
            shares,
            where="post",
            color=COLOURS[index % len(COLOURS)],
            linewidth=1.5,
            label=name,
        )
    axes.set_xlabel("ms")
    axes.set_ylabel("% at most")
    axes.axhline(95, color=_INK, linewidth=0.6, linestyle=":")
    axes.set_ylim(0, 101)
    _legend(axes, list(plot.series))


def _lines(axes: Axes, plot: Lines) -> None:
    for index, (name, points) in enumerate(plot.series.items()):
        across, up = zip(*points, strict=True) if points else ((), ())
        colour = COLOURS[index % len(COLOURS)]
        axes.plot(across, up, color=colour, linewidth=1.5, marker="o", markersize=3, label=name)
    axes.set_xlabel(plot.quantity)
    axes.set_ylabel(plot.unit)
    axes.set_ylim(bottom=0)
    if plot.limit is not None:
        axes.axhline(plot.limit, color=_INK, linewidth=0.6, linestyle=":")
    if len(plot.series) > 1:
        _legend(axes, list(plot.series))


def _matrix(axes: Axes, plot: Matrix) -> None:
    rows = list(plot.rows)
    columns = list(next(iter(plot.rows.values())))
    counts = np.array([[plot.rows[row].get(column, 0) for column in columns] for row in rows])
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.pcolormesh(shares, cmap="Blues", vmin=0, vmax=1, edgecolors="white", linewidth=1)
    for (row, column), count in np.ndenumerate(counts):
        colour = "white" if shares[row, column] > 0.5 else "#333333"
        axes.text(column + 0.5, row + 0.5, str(count), ha="center", va="center", color=colour)
    axes.set_xticks([column + 0.5 for column in range(len(columns))], columns)
    axes.set_yticks([row + 0.5 for row in range(len(rows))], rows)
    axes.invert_yaxis()
    axes.xaxis.tick_top()
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)


def _waterfall(axes: Axes, plot: Waterfall) -> None:
    for index, (_, start_ms, end_ms) in enumerate(plot.steps):
        colour = COLOURS[index % len(COLOURS)]
        axes.barh(index, max(end_ms - start_ms, 1.0), left=start_ms, color=colour, height=0.6)
        axes.text(end_ms, index, f" {end_ms:.0f}", va="center", fontsize=8)
    axes.set_yticks(range(len(plot.steps)), [name for name, _, _ in plot.steps])
    axes.invert_yaxis()
    axes.set_xlabel("ms")
    axes.margins(x=0.12)
