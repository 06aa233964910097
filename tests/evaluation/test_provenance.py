"""Where figures come from."""

import hashlib
from pathlib import Path

from engines.config import REPOSITORY
from evaluation.provenance import hashes, models_of, provenance
from server.config import parse


def test_models_are_named_by_their_files_and_hashes(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"weights")
    (tmp_path / "README.md").write_text("a card", encoding="utf-8")
    expected = {"model.bin": hashlib.sha256(b"weights").hexdigest()}
    assert hashes([tmp_path, tmp_path / "missing"]) == expected


def test_it_holds_no_secret_and_no_path_of_this_machine() -> None:
    flags = ["--server.api_keys", '["a-very-secret-key"]']
    flags += ["--conversation.instructions", "our own matter"]
    config = parse(flags, {})
    origin = provenance(config, "python -m evaluation stt", models_of(config, "stt", "nmt"))
    told = str(origin)
    assert "secret" not in told
    assert "our own matter" not in told
    assert str(REPOSITORY) not in told
    assert origin["configuration"]["stt"]["model"] == "models/starter/stt"
    assert set(origin["models"]) == {"stt", "nmt"}
    assert "models/starter/stt/model.bin" in origin["models"]["stt"]
