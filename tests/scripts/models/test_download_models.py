"""The command from end to end: a hub with the starter models, and the server that uses them."""

import json
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest

from engines.config import REPOSITORY, STARTER
from evaluation.server_process import server_process
from scripts import download_models
from scripts.models.manifest import Manifest, Tier
from tests.scripts.models.conftest import a_model, publish
from tests.scripts.models.hub_double import Cut, HubDouble
from tests.tiny_turn_end import write_model

STT = {
    path.name: path.read_bytes()
    for path in (STARTER / "stt").iterdir()
    if path.name not in {"README.md", "tinig.json"}
}
LLM = {"starter.gguf": (STARTER / "llm" / "starter.gguf").read_bytes()}
TTS = {
    "en/starter.onnx": (STARTER / "tts" / "starter.onnx").read_bytes(),
    "en/starter.onnx.json": (STARTER / "tts" / "starter.en.onnx.json").read_bytes(),
}


@pytest.fixture
def manifest(double: HubDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Manifest:
    """The starter models and an end of turn as a tier, on the hub that HF_ENDPOINT names."""
    monkeypatch.setenv("HF_ENDPOINT", double.endpoint)
    card = {"short_windows": True, "translate": False}
    turn = {"turn.onnx": Path(write_model(tmp_path / "turn.onnx")).read_bytes()}
    models = [
        a_model("ears", STT, kind="stt", card=card),
        a_model("mind", LLM),
        a_model("voice", TTS, kind="tts"),
        a_model("bound", TTS, kind="tts", licence="CC-BY-NC-4.0", commercial=False),
        a_model("end", turn, kind="turn"),
    ]
    for model, contents in zip(models, (STT, LLM, TTS, TTS, turn), strict=True):
        publish(double, model, contents)
    settings = {"llm": {"context_tokens": 2048}}
    names = tuple(model.name for model in models)
    tier = Tier("tiny", "a test", names, settings)
    manifest = Manifest({model.name: model for model in models}, {"tiny": tier}, {})
    monkeypatch.setattr(download_models, "load", lambda: manifest)
    return manifest


@pytest.fixture
def tinig_toml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the configuration goes: beside the models, which are not in the repository."""
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    return tmp_path / "store" / "tinig.toml"


def download(tmp_path: Path, *arguments: str) -> int:
    return download_models.main([*arguments, "--into", str(tmp_path / "store")])


@pytest.mark.usefixtures("manifest")
def test_a_tier_is_fetched_over_a_bad_line_and_served(
    double: HubDouble, tmp_path: Path, tinig_toml: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    address = next(address for address in double.files if address.endswith("starter.gguf"))
    double.faults[address] = [Cut(1_000_000), Cut(2_000_000)]
    assert download(tmp_path, "--tier", "tiny") == 0
    said = capsys.readouterr().out
    assert "bound: CC-BY-NC-4.0, NOT for commercial use" in said
    assert "eSpeak NG speaks what has no voice" in said
    assert [voice["name"] for voice in tomllib.loads(tinig_toml.read_text())["tts"]["voices"]] == [
        "voice"
    ]
    log = tmp_path / "server.log"
    with server_process(log, arguments=["--config", str(tinig_toml)]):
        pass
    for model in ("ears", "mind", "voice", "end"):
        assert f"from {tmp_path / 'store' / model}" in log.read_text()


@pytest.mark.usefixtures("manifest", "tinig_toml")
def test_a_bundle_carries_a_tier_to_a_machine_that_reaches_no_hub(
    double: HubDouble, tmp_path: Path, tinig_toml: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = str(tmp_path / "models.tar")
    assert download(tmp_path, "--tier", "tiny", "--bundle", bundle) == 0
    assert not tinig_toml.exists()  # not for this machine
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    asked = len(double.requests)
    other = tmp_path / "other"
    assert download(other, "--tier", "tiny", "--from", bundle) == 0
    assert len(double.requests) == asked
    written = tomllib.loads((other / "store" / "tinig.toml").read_text())
    assert written["llm"]["model"] == str(other / "store" / "mind" / "starter.gguf")
    assert download(other, "--verify") == 0
    (other / "store" / "ears" / "model.bin").write_bytes(b"")
    assert download(other, "--verify") == 1


@pytest.mark.usefixtures("manifest", "tinig_toml")
def test_models_by_name_write_no_configuration(tmp_path: Path, tinig_toml: Path) -> None:
    assert download(tmp_path, "voice", "bound", "--accept-restricted") == 0
    assert not tinig_toml.exists()
    recorded = json.loads((tmp_path / "store" / "recorded.json").read_text())
    assert {key.split("/")[0] for key in recorded} == {"voice", "bound"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Say what to fetch"),
        (["--tier", "9gb"], "There is no tier '9gb', only: tiny"),
        (["whisper-huge"], "There is no model 'whisper-huge'. --list shows"),
        (["--datasets", "librispeech"], "There is no data set 'librispeech'"),
        (["--from", "nowhere.tar"], "nowhere.tar is no whole bundle"),
    ],
)
@pytest.mark.usefixtures("manifest")
def test_what_is_asked_wrongly_is_said_in_a_sentence(
    tmp_path: Path, arguments: Sequence[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert download(tmp_path, *arguments) == 1
    assert message in capsys.readouterr().err


def test_it_runs_where_nothing_is_installed() -> None:
    command = [sys.executable, "-I", "-S", "scripts/download_models.py", "--list"]
    shown = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True)
    assert "whisper-large-v3-turbo" in shown.stdout
