"""An environment is made once, and says what failed."""

import hashlib
from pathlib import Path

import pytest

from benchmarks.peers import environments
from benchmarks.peers.environments import PeerUnavailable, environment


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(environments, "CACHE", tmp_path)
    monkeypatch.setattr(environments, "REQUIREMENTS", tmp_path)
    path = tmp_path / "peer.lock"
    path.write_text("there-is-no-such-package @ file:///nowhere/package.whl\n")
    return path


def test_one_that_is_up_to_date_is_left_alone(lock: Path, tmp_path: Path) -> None:
    (tmp_path / "peer").mkdir()
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    (tmp_path / "peer" / ".ready").write_text(digest)
    steps: list[str] = []
    assert environment("peer", steps.append) == tmp_path / "peer" / "bin" / "python"
    assert steps == []


def test_what_cannot_be_installed_is_told_and_not_taken_for_ready(
    lock: Path, tmp_path: Path
) -> None:
    steps: list[str] = []
    with pytest.raises(PeerUnavailable, match="nowhere"):
        environment("peer", steps.append)
    assert len(steps) == 1
    assert not (tmp_path / "peer" / ".ready").exists()


def test_every_lock_names_versions_and_no_index() -> None:
    locks = sorted(environments.REQUIREMENTS.glob("*.lock"))
    assert [path.stem for path in locks] == ["pipecat", "speech-to-speech"]
    for path in locks:
        lines = path.read_text(encoding="utf-8").split("\n")
        assert all("==" in line for line in lines if line), path
        assert not any("nvidia" in line or "://" in line for line in lines), path
