"""What is made of the measurements."""

from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from benchmarks.peers import comparison
from benchmarks.peers.comparison import Measured, plot, table, times
from benchmarks.peers.environments import PeerUnavailable
from benchmarks.peers.systems import SYSTEMS, Running, Workshop
from benchmarks.results import Exchange, LoadResult


def _measured(
    system: str, *milliseconds: float | None, dry_seconds: float = 0.0, failures: int = 0
) -> Measured:
    exchanges = tuple(
        Exchange(0, turn, "en", "Hello!", ms, answer_seconds=10.0, dry_seconds=dry_seconds)
        for turn, ms in enumerate(milliseconds)
    )
    result = LoadResult(2, 40.0, exchanges, 1.0, 0.0, ("cannot call",) * failures)
    return Measured(system, result, len(result.answered), 20.0, 512.0)


def test_a_system_is_beside_ours_at_the_same_level() -> None:
    rows = table([_measured("Tinig", 500.0, 500.0), _measured("other", 1000.0, 1500.0)])
    assert "1.0 / 1.0" in rows.splitlines()[2]
    assert "2.5 / 3.0" in rows.splitlines()[3]


def test_without_answers_there_is_no_ratio() -> None:
    assert times(_measured("other", None).result, _measured("Tinig", 500.0).result) == "-"


def test_an_answer_that_never_came_counts_as_late() -> None:
    assert _measured("other", *[900.0] * 19, None).is_held
    assert not _measured("other", *[900.0] * 9, None).is_held
    assert not _measured("other", *[900.0] * 9, 1900.0).is_held


def test_broken_audio_and_lost_calls_are_not_held() -> None:
    assert not _measured("other", 900.0, dry_seconds=0.1).is_held
    assert not _measured("other", 900.0, failures=1).is_held
    assert not _measured("other").is_held


def test_the_json_says_what_the_row_says() -> None:
    body = _measured("other", 1000.0, None).to_json()
    assert body["voice_to_voice_ms"] == [1000.0, 1000.0, 1000.0]
    assert (body["turns"], body["right"], body["cores"]) == (2, 1, 0.5)
    assert body["held"] is False


def test_the_plot_names_every_system(tmp_path: Path) -> None:
    plot([_measured("Tinig", 500.0), _measured("other", None)], tmp_path / "peers.svg")
    drawing = (tmp_path / "peers.svg").read_text(encoding="utf-8")
    assert "Tinig" in drawing
    assert "other" in drawing


def test_a_peer_that_cannot_run_is_told_once_and_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(calls: int, workshop: Workshop) -> AbstractContextManager[Running]:
        raise PeerUnavailable("no such package")

    monkeypatch.setitem(SYSTEMS, "other", unavailable)
    steps: list[str] = []
    failures: list[tuple[str, str]] = []
    measured = comparison.measure(
        Workshop(tmp_path, steps.append),
        systems=["other"],
        levels=[1, 2],
        seconds=1.0,
        on_measured=lambda one: None,
        on_failure=lambda name, why: failures.append((name, why)),
    )
    assert (measured, steps) == ([], ["other, 1 calls"])
    assert failures == [("other", "no such package")]
