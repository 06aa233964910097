"""A bundle for a machine without a network: whole, or refused."""

import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scripts.models.bundle import install, pack
from scripts.models.errors import ModelsError
from scripts.models.fetch import fetch
from scripts.models.hub import Hub
from scripts.models.manifest import Manifest, Model
from scripts.models.store import Store
from tests.scripts.models.conftest import a_model, publish
from tests.scripts.models.hub_double import HubDouble

CONTENTS = {"model.gguf": b"weights" * 1000, "config.json": b"{}"}
Members = list[tuple[str, bytes]]


@pytest.fixture
def model(double: HubDouble, hub: Hub, store: Store) -> Model:
    """A model that was fetched."""
    model = a_model("llm-small", CONTENTS, card={"translate": False})
    publish(double, model, CONTENTS)
    fetch([model], store, hub)
    return model


@pytest.fixture
def bundle(tmp_path: Path, store: Store, model: Model) -> Path:
    pack([model], store, tmp_path / "models.tar")
    return tmp_path / "models.tar"


@pytest.fixture
def other(tmp_path: Path) -> Store:
    """The folder of the machine without a network."""
    return Store(tmp_path / "other")


def manifest_of(*models: Model) -> Manifest:
    return Manifest({model.name: model for model in models}, {}, {})


def test_what_is_packed_here_is_installed_there(bundle: Path, other: Store, model: Model) -> None:
    assert install(bundle, other, manifest_of(model)) == ["llm-small"]
    for name, data in CONTENTS.items():
        assert (other.folder / "llm-small" / name).read_bytes() == data
    assert all(other.has(model, file) for file in model.files)
    assert (other.folder / "llm-small" / "tinig.json").exists()


def test_two_bundles_of_the_same_are_the_same(
    bundle: Path, tmp_path: Path, store: Store, model: Model
) -> None:
    pack([model], store, tmp_path / "again.tar")
    assert (tmp_path / "again.tar").read_bytes() == bundle.read_bytes()


def test_only_what_is_there_and_unchanged_is_packed(
    tmp_path: Path, store: Store, model: Model
) -> None:
    path = store.folder / "llm-small" / "model.gguf"
    path.write_bytes(bytes(len(CONTENTS["model.gguf"])))
    with pytest.raises(ModelsError, match="not the file of the record"):
        pack([model], store, tmp_path / "models.tar")
    path.unlink()
    with pytest.raises(ModelsError, match="fetch llm-small first"):
        pack([model], store, tmp_path / "models.tar")
    assert not (tmp_path / "models.tar").exists()


def rewritten(bundle: Path, change: Callable[[Members], Members]) -> None:
    with tarfile.open(bundle) as tar:
        members: Members = []
        for member in tar:
            content = tar.extractfile(member)
            assert content is not None
            members.append((member.name, content.read()))
    with tarfile.open(bundle, "w") as tar:
        for name, data in change(members):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def with_index(members: Members, **changes: Any) -> Members:
    index = json.loads(members[0][1])
    index["files"][0].update(changes)
    return [("index.json", json.dumps(index).encode()), *members[1:]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda all_: [*all_[:1], (all_[1][0], bytes(7000)), *all_[2:]], "is damaged"),
        (lambda all_: [*all_, ("llm-small/more", b"")], "which its index does not name"),
        (lambda all_: [*all_, ("../../escape", b"")], "which its index does not name"),
        (lambda all_: all_[:-1], "ends before llm-small/config.json"),
        (lambda all_: all_[1:], "does not begin with index.json"),
        (lambda all_: [("index.json", b"{"), *all_[1:]], "index that cannot be read"),
        (lambda all_: [("index.json", b'{"format": "9"}')], "another version of Tinig"),
        (lambda all_: with_index(all_, model="../x"), r"no model '\.\./x'"),
        (lambda all_: with_index(all_, file="../x"), "not in this machine's manifest"),
        (lambda all_: with_index(all_, revision="f" * 40), "not in this machine's manifest"),
        (lambda all_: with_index(all_, sha256="0" * 64), "It is not installed"),
    ],
)
def test_a_bundle_that_was_changed_is_refused(
    bundle: Path,
    other: Store,
    model: Model,
    change: Callable[[Members], Members],
    message: str,
) -> None:
    rewritten(bundle, change)
    with pytest.raises(ModelsError, match=message):
        install(bundle, other, manifest_of(model))
    assert not (other.folder.parent / "escape").exists()


def test_a_bundle_that_was_cut_off_is_refused(bundle: Path, other: Store, model: Model) -> None:
    bundle.write_bytes(bundle.read_bytes()[:4000])
    with pytest.raises(ModelsError, match="no whole bundle"):
        install(bundle, other, manifest_of(model))


def test_what_is_no_bundle_is_said_so(tmp_path: Path, other: Store, model: Model) -> None:
    for content in (b"", b"hello" * 500):
        (tmp_path / "no.tar").write_bytes(content)
        with pytest.raises(ModelsError, match=r"no whole bundle|no bundle"):
            install(tmp_path / "no.tar", other, manifest_of(model))


def test_hashes_that_nobody_published_come_from_the_bundle(
    bundle: Path, other: Store, model: Model
) -> None:
    files = tuple(replace(file, sha256=None) for file in model.files)
    unknown = replace(model, files=files)
    install(bundle, other, manifest_of(unknown))
    assert list(other.verify(unknown)) == []
