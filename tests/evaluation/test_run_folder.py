"""The folder of a run: each part's figures with their own origin."""

import json
from pathlib import Path
from typing import Any

from evaluation.report import markdown
from evaluation.run_folder import RunFolder
from tests.evaluation.machine import MACHINE


def origin(command: str, model: str, load: float) -> dict[str, Any]:
    return {
        "commands": [command],
        "revision": "abc",
        "normaliser_version": "1",
        "models": {"stt": {f"{model}/model.bin": f"hash of {model}"}},
        "configuration": {"stt": {"model": model, "threads": 1}},
        "machine": {**MACHINE, "load": [load]},
    }


def rows_of(text: str) -> list[list[str]]:
    """The cells of all tables of a Markdown text."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]


def test_a_part_that_was_measured_again_names_its_own_models(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    for part in ("stt", "tts", "conversation"):
        folder.begin(part, {"model": "starter"}, origin("all", "starter", 0.5))
    folder.begin("stt", {"model": "whisper"}, origin("stt --stt.model whisper", "whisper", 7.5))
    document = folder.document("Title", [])
    rows = rows_of(markdown.render(document))
    assert ["stt", "whisper/model.bin", "hash of whisper", "stt"] in rows
    assert ["stt", "starter/model.bin", "hash of starter", "tts, conversation"] in rows
    assert ["stt.model", '"whisper"', "stt"] in rows
    assert ["stt.model", '"starter"', "tts, conversation"] in rows
    assert ["load when it began", "7.5", "stt"] in rows
    assert ["command", "stt --stt.model whisper", "stt"] in rows
    once = [["stt.threads", "1", "all"], ["revision", "abc", "all"]]
    assert all(rows.count(row) == 1 for row in once)
    told = json.loads(document.to_json())["provenance"]
    assert told["stt"]["models"]["stt"] == {"whisper/model.bin": "hash of whisper"}
    assert told["conversation"]["configuration"]["stt"]["model"] == "starter"
