"""The command: what it prints and leaves, and when its exit status is 0."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluation.server_process import ServerFailed
from evaluation.telephone import __main__ as command
from evaluation.telephone.conversation import Script, Turn

SCRIPT = Script("es", "¿Cuál es el horario?", "¿Dónde está?", "mango")
RECORD = {
    "heard": "¿Cuál es el horario?",
    "language": "es",
    "answer": "De lunes a viernes.",
    "status": "cancelled",
    "milestones_ms": {"transcript": 233.0, "first_audio_sent": 327.0},
}
TURN = Turn(SCRIPT.first, RECORD, 456.0, np.zeros(8000, dtype=np.int16), 300.0, 0.25)
GOOD = command.Call("twilio", SCRIPT, [TURN], ["De lunes a"])
BAD = command.Call("audiosocket", SCRIPT, problems=["no answer was heard"])


def run(
    monkeypatch: pytest.MonkeyPatch, folder: Path, calls: Sequence[command.Call] | ServerFailed
) -> int:
    """The exit status, where these calls come of it."""

    @contextmanager
    def server(*_: Any) -> Iterator[None]:
        if isinstance(calls, ServerFailed):
            raise calls
        yield

    async def call_all(*_: Any) -> Sequence[command.Call]:
        assert not isinstance(calls, ServerFailed)
        return calls

    monkeypatch.setattr(command, "_server", server)
    monkeypatch.setattr(command, "_call_all", call_all)
    return command.main(["--output", str(folder)])


def test_right_calls_are_a_table_and_figures(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, tmp_path, [GOOD]) == 0
    printed = capsys.readouterr().out
    row = next(line for line in printed.splitlines() if line.startswith("twilio"))
    assert row.split() == [
        *("twilio", "es", "1", "25%", "233", "ms", "327", "ms", "456", "ms", "300", "ms"),
        "cancelled",
    ]
    assert "All 1 calls were right." in printed
    (figures,) = json.loads((tmp_path / "telephone.json").read_text())
    assert figures["turns"][0]["heard_by_caller"] == "De lunes a"


def test_one_wrong_call_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, tmp_path, [GOOD, BAD]) == 1
    assert "1 of 2 calls failed." in capsys.readouterr().out


def test_a_server_that_does_not_start_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, tmp_path, ServerFailed("It ended.")) == 1
    assert "It ended." in capsys.readouterr().out
