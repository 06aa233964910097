"""What is taken in, and what is not: hashes, room, licences."""

import shutil
from dataclasses import replace
from types import SimpleNamespace

import pytest

from scripts.models.errors import ModelsError
from scripts.models.fetch import allowed, fetch
from scripts.models.hub import Hub
from scripts.models.manifest import Model
from scripts.models.store import Store
from tests.scripts.models.conftest import a_model, publish
from tests.scripts.models.hub_double import Cut, HubDouble, Wrong

CONTENTS = {"model.gguf": b"weights" * 1000, "config.json": b"{}"}


@pytest.fixture
def model(double: HubDouble) -> Model:
    model = a_model("llm-small", CONTENTS)
    publish(double, model, CONTENTS)
    return model


def without_hashes(model: Model) -> Model:
    files = tuple(replace(file, sha256=None, bytes=None) for file in model.files)
    return replace(model, files=files)


def test_all_files_are_fetched_and_a_second_run_fetches_none(
    double: HubDouble, hub: Hub, store: Store, model: Model
) -> None:
    fetch([model], store, hub)
    for name, data in CONTENTS.items():
        assert (store.folder / "llm-small" / name).read_bytes() == data
    assert list(store.verify(model)) == []
    asked = len(double.requests)
    fetch([model], store, hub)
    assert len(double.requests) == asked
    assert not list(store.folder.rglob("*.part"))


def test_a_wrong_hash_is_fetched_once_more(
    double: HubDouble, hub: Hub, store: Store, model: Model, capsys: pytest.CaptureFixture[str]
) -> None:
    address = f"/{model.repository}/resolve/{model.revision}/model.gguf"
    double.faults[address] = [Wrong()]
    fetch([model], store, hub)
    assert "once more from the start" in capsys.readouterr().out
    assert (store.folder / "llm-small" / "model.gguf").read_bytes() == CONTENTS["model.gguf"]


def test_a_file_that_stays_wrong_is_refused_and_not_kept(
    double: HubDouble, hub: Hub, store: Store, model: Model
) -> None:
    address = f"/{model.repository}/resolve/{model.revision}/model.gguf"
    double.faults[address] = [Wrong(), Cut(10), Wrong()]
    with pytest.raises(ModelsError, match=r"SHA-256 \w{64}, and \w{64} is expected"):
        fetch([model], store, hub)
    assert not list((store.folder / "llm-small").iterdir())


def test_a_hash_that_nobody_published_is_recorded_and_then_expected(
    double: HubDouble, hub: Hub, store: Store, model: Model, capsys: pytest.CaptureFixture[str]
) -> None:
    unknown = without_hashes(model)
    fetch([unknown], store, hub)
    said = capsys.readouterr().out
    assert "recorded, and the hub says the same" in said  # of the large one
    assert "recorded, which nobody could compare" in said  # of the small one
    small = store.folder / "llm-small" / "config.json"
    small.unlink()
    address = f"/{model.repository}/resolve/{model.revision}/config.json"
    double.files[address] = b"[]"
    with pytest.raises(ModelsError, match="is expected"):
        fetch([unknown], store, hub)
    assert not small.exists()


def test_a_file_that_was_changed_later_is_found(hub: Hub, store: Store, model: Model) -> None:
    fetch([model], store, hub)
    path = store.folder / "llm-small" / "model.gguf"
    path.write_bytes(bytes(len(CONTENTS["model.gguf"])))
    assert [str(path) in problem for problem in store.verify(model)] == [True]


def test_another_revision_is_fetched_anew(
    double: HubDouble, hub: Hub, store: Store, model: Model
) -> None:
    fetch([model], store, hub)
    newer = a_model("llm-small", {"model.gguf": b"newer"}, revision="f" * 40)
    publish(double, newer, {"model.gguf": b"newer"})
    fetch([newer], store, hub)
    assert (store.folder / "llm-small" / "model.gguf").read_bytes() == b"newer"


def test_a_full_disk_is_said_before_anything_is_fetched(
    double: HubDouble, hub: Hub, store: Store, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=100_000_000))
    with pytest.raises(ModelsError, match=r"100 MB left, and 200 MB are needed.*--into"):
        fetch([model], store, hub)
    assert double.requests == []


def test_a_broken_record_says_what_to_do(hub: Hub, store: Store, model: Model) -> None:
    store.folder.mkdir()
    (store.folder / "recorded.json").write_text("{")
    with pytest.raises(ModelsError, match=r"recorded\.json is broken.*Delete it"):
        fetch([model], store, hub)


def test_a_card_is_laid_beside_the_model(hub: Hub, store: Store, model: Model) -> None:
    fetch([replace(model, card={"translate": False})], store, hub)
    assert (store.folder / "llm-small" / "tinig.json").read_text() == '{"translate": false}\n'


def test_licences_are_shown_and_restricted_ones_asked_for() -> None:
    free = a_model("free", CONTENTS)
    bound = a_model("bound", CONTENTS, licence="CC-BY-NC-4.0", commercial=False)
    said: list[str] = []
    assert allowed([free, bound], accept_restricted=False, say=said.append) == [free]
    assert "bound: CC-BY-NC-4.0, NOT for commercial use" in said
    assert "--accept-restricted" in said[-1]
    assert allowed([free, bound], accept_restricted=True, say=said.append) == [free, bound]
