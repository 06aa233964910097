"""Starting a server of one's own, when that does not work."""

from pathlib import Path

import pytest

from evaluation.server_process import ServerFailed, server_process


def test_a_server_that_ends_at_once_is_said_with_its_last_words(tmp_path: Path) -> None:
    lines: list[str] = []
    arguments = ["--stt.threads", "many"]
    with (
        pytest.raises(ServerFailed, match="ended with status 2"),
        server_process(tmp_path / "log", arguments=arguments, on_line=lines.append),
    ):
        pass
    assert any("stt.threads" in line for line in lines)


def test_a_server_that_is_not_ready_in_time_is_stopped(tmp_path: Path) -> None:
    with (
        pytest.raises(ServerFailed, match="not ready in time"),
        server_process(tmp_path / "log", timeout_seconds=0.0),
    ):
        pass
