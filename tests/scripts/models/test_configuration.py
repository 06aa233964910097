"""The configuration that is written loads, and an owner's own is not written over."""

from pathlib import Path

import pytest

from scripts.models.configuration import configuration, place, write
from scripts.models.manifest import REPOSITORY, Manifest, Tier, load
from scripts.models.store import Store
from server.config import parse


@pytest.fixture
def manifest() -> Manifest:
    return load()


@pytest.mark.parametrize("name", load().tiers)
def test_the_server_understands_every_tiers(name: str, manifest: Manifest, tmp_path: Path) -> None:
    tier = manifest.tiers[name]
    models = [manifest.model(model) for model in tier.models]
    path = tmp_path / "tinig.toml"
    path.write_text(configuration(tier, models, Store(tmp_path / "store")))
    config = parse(["--config", str(path)], {})
    assert config.stt.model == str(tmp_path / "store" / tier.models[0])
    assert config.llm.model.endswith(".gguf")
    assert config.llm.sequences >= config.server.max_sessions
    assert [voice.language for voice in config.tts.voices] == ["en", "es", "fr", "hi"]
    turn_end = manifest.model("smart-turn-v3")
    assert config.vad.smart_turn == str(tmp_path / "store" / turn_end.name / turn_end.files[0].name)


def test_models_that_were_left_out_are_not_in_it(manifest: Manifest, tmp_path: Path) -> None:
    tier = manifest.tiers["cpu"]
    left_out = {"piper-hi-in-pratham", "smart-turn-v3"}
    models = [manifest.model(name) for name in tier.models if name not in left_out]
    text = configuration(tier, models, Store(tmp_path))
    assert "pratham" not in text
    assert "smart" not in text


def test_it_goes_where_the_server_looks_or_beside_models_that_lie_elsewhere(tmp_path: Path) -> None:
    assert place(Store()) == REPOSITORY / "tinig.toml"
    assert place(Store(tmp_path)) == tmp_path / "tinig.toml"


def test_paths_in_the_repository_are_relative(manifest: Manifest) -> None:
    text = configuration(manifest.tiers["cpu"], [manifest.model("whisper-small")], Store())
    assert 'model = "models/downloaded/whisper-small"' in text


@pytest.mark.parametrize(
    ("force", "answer", "replaced"),
    [(False, None, False), (True, None, True), (False, "n", False), (False, "Y", True)],
)
def test_an_owners_file_is_replaced_only_when_told_to(
    tmp_path: Path, force: bool, answer: str | None, replaced: bool
) -> None:
    tier = Tier("8gb", "", (), {})
    target = tmp_path / "tinig.toml"
    target.write_text("# mine\n")
    said: list[str] = []
    ask = None if answer is None else lambda _: answer
    written = write("new\n", tier, target=target, force=force, say=said.append, ask=ask)
    assert written.read_text() == "new\n"
    assert target.read_text() == ("new\n" if replaced else "# mine\n")
    assert any("stays as it is" in line for line in said) != replaced
    assert f"--config {written}" in said[-1]


def test_the_same_file_again_asks_nothing(tmp_path: Path) -> None:
    target = tmp_path / "tinig.toml"
    target.write_text("new\n")

    def ask(_: str) -> str:
        raise AssertionError("nothing is to be asked")

    tier = Tier("8gb", "", (), {})
    write("new\n", tier, target=target, force=False, say=lambda _: None, ask=ask)
