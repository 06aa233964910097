"""Which systems are asked for how many calls."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from unittest.mock import Mock

import pytest

from benchmarks.peers import comparison
from benchmarks.peers.correctness import Judge
from benchmarks.peers.environments import PeerUnavailable
from benchmarks.peers.measured import Measured
from benchmarks.peers.systems import SYSTEMS, Running, Workshop
from benchmarks.results import Exchange, LoadResult


def _measure(
    tmp_path: Path, levels: list[int], turns: int = 20
) -> tuple[list[Measured], list[tuple[str, str]]]:
    failures: list[tuple[str, str]] = []
    measured = comparison.measure(
        Workshop(tmp_path, lambda step: None),
        systems=["other"],
        levels=levels,
        turns=turns,
        on_measured=lambda one: None,
        on_failure=lambda name, why: failures.append((name, why)),
    )
    return measured, failures


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What the callers were asked for, of a system that is right, and slow from 4 calls on."""
    asked: list[tuple[str, ...]] = []

    @contextmanager
    def other(calls: int, workshop: Workshop) -> Iterator[Running]:
        yield Running("pcm", ("ws://nowhere/call",), ())

    def begin_callers(module: str, *arguments: str) -> Mock:
        asked.append(arguments)
        calls = int(arguments[2].removeprefix("--calls="))
        exchange = Exchange(0, 0, "en", "Thank you.", 900.0 if calls < 4 else 1900.0)
        result = LoadResult(calls, 10.0, (exchange,), 1.0, 0.0)
        return Mock(result=lambda: result)

    monkeypatch.setitem(SYSTEMS, "other", other)
    monkeypatch.setattr(comparison, "begin_callers", begin_callers)
    monkeypatch.setattr(Judge, "is_right", lambda self, exchange, recording: True)
    return asked


def test_a_system_is_not_asked_for_more_calls_than_it_holds(
    asked: list[tuple[str, ...]], tmp_path: Path
) -> None:
    measured, _ = _measure(tmp_path, [1, 2, 4, 8])
    assert [(one.calls, one.is_held) for one in measured] == [(1, True), (2, True), (4, False)]
    assert len(asked) == 3


def test_a_level_with_late_callers_is_measured_again_once(
    asked: list[tuple[str, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LoadResult, "is_bottleneck", property(lambda self: True))
    measured, _ = _measure(tmp_path, [1])
    assert len(measured) == 1
    assert len(asked) == 2


def test_the_turns_of_a_level_are_shared_by_its_callers(
    asked: list[tuple[str, ...]], tmp_path: Path
) -> None:
    _measure(tmp_path, [1, 2, 3], turns=7)
    turns = [argument for call in asked for argument in call if "--turns" in argument]
    assert turns == ["--turns=7", "--turns=4", "--turns=3"]


def test_a_peer_that_cannot_run_is_told_once_and_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(calls: int, workshop: Workshop) -> AbstractContextManager[Running]:
        raise PeerUnavailable("no such package")

    monkeypatch.setitem(SYSTEMS, "other", unavailable)
    measured, failures = _measure(tmp_path, [1, 2])
    assert measured == []
    assert failures == [("other", "no such package")]
