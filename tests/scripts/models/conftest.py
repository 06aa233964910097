"""A hub of our own, and models on it that are small."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from scripts.models.hub import Hub
from scripts.models.manifest import Model, ModelFile
from scripts.models.store import Store
from tests.scripts.models.hub_double import HubDouble, hub_double

REVISION = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubDouble]:
    """The hub, with no proxy of this machine before it."""
    for name in ("http_proxy", "HTTP_PROXY", "HF_ENDPOINT", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with hub_double() as hub:
        yield hub


@pytest.fixture
def waits() -> list[float]:
    """The pauses that the client made, in seconds; none is really made."""
    return []


@pytest.fixture
def hub(double: HubDouble, waits: list[float]) -> Hub:
    """A client of it that does not really wait."""
    return Hub(double.endpoint, timeout_seconds=0.3, tries=3, sleep=waits.append)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty folder of models."""
    return Store(tmp_path / "downloaded")


def a_model(name: str, contents: Mapping[str, bytes], **changes: Any) -> Model:
    """A pinned model with these files, hashes and sizes published."""
    files = tuple(
        ModelFile(path, len(data), hashlib.sha256(data).hexdigest())
        for path, data in contents.items()
    )
    values: dict[str, Any] = {
        "kind": "llm",
        "about": "a small one",
        "languages": ("en",),
        "licence": "MIT",
        "commercial": True,
        "repository": f"maker/{name}",
        "revision": REVISION,
        "files": files,
    }
    return Model(name=name, **(values | changes))


def publish(double: HubDouble, model: Model, contents: Mapping[str, bytes]) -> list[str]:
    """Put its files on the hub; returns their addresses."""
    return [
        double.put(model.repository, model.revision, path, data, stored=len(data) > 1000)
        for path, data in contents.items()
    ]
