"""What was measured becomes a part of the documentation."""

import json
from pathlib import Path

import pytest

from benchmarks.publish import Found, check_places, publish
from evaluation.report.model import Lines

PAGE = "# Page\n\n<!-- generated: curve -->\nold\n<!-- end -->\n\nText.\n"
MACHINE = {"processor": "a CPU", "cpus": 2, "date": "2026-11-21", "revision": "abc"}


def test_a_benchmark_without_a_place_is_told_before_it_runs(tmp_path: Path) -> None:
    (tmp_path / "performance.md").write_text(PAGE, "utf-8")
    check_places(["curve"], tmp_path)
    with pytest.raises(ValueError, match="generated: one"):
        check_places(["curve", "one"], tmp_path)


def test_figures_table_and_plots_are_published_with_their_command(tmp_path: Path) -> None:
    (tmp_path / "performance.md").write_text(PAGE, "utf-8")
    plot = Lines("Latency", "calls", "ms", {"P50": [(1, 300.0), (2, 310.0)]}, limit=1800.0)
    found = Found({"calls": [1, 2]}, "| a table |", {"voice to voice": plot})
    publish("curve", found, command='make bench ARGS="curve"', machine=MACHINE, docs=tmp_path)
    page = (tmp_path / "performance.md").read_text("utf-8")
    assert '`make bench ARGS="curve"`' in page
    assert "2 cores of a CPU" in page
    assert "old" not in page
    assert page.endswith("<!-- end -->\n\nText.\n")
    assert "| a table |" in page
    assert "![Latency](performance/curve-voice-to-voice.svg)" in page
    assert "<svg" in (tmp_path / "performance" / "curve-voice-to-voice.svg").read_text("utf-8")
    figures = json.loads((tmp_path / "performance" / "curve.json").read_text("utf-8"))
    assert figures["curve"] == {"calls": [1, 2]}
    assert figures["machine"]["cpus"] == 2
