"""models/manifest.toml: the models, tiers and data sets that can be fetched."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from scripts.models.errors import ModelsError

REPOSITORY = Path(__file__).resolve().parent.parent.parent
MANIFEST = REPOSITORY / "models" / "manifest.toml"
KINDS = {"stt": "speech to text", "llm": "language model", "tts": "voice"} | {
    "turn": "end of turn",
    "nmt": "translation",
}


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a repository at a revision."""

    path: str  # in the repository
    bytes: int | None = None  # None: no public source gives it
    sha256: str | None = None

    @property
    def name(self) -> str:
        """Its name on disk."""
        return PurePosixPath(self.path).name


@dataclass(frozen=True, slots=True)
class Model:
    """One model, pinned. All its files lie in one folder of its name."""

    name: str
    kind: str  # one of KINDS
    about: str
    languages: tuple[str, ...]
    licence: str
    commercial: bool  # whether its licence allows commercial use
    repository: str
    revision: str
    files: tuple[ModelFile, ...]
    card: Mapping[str, Any] = field(default_factory=dict)  # what the server is to know of it

    @property
    def bytes(self) -> int:
        """Of the files whose size is known."""
        return sum(file.bytes or 0 for file in self.files)


@dataclass(frozen=True, slots=True)
class Tier:
    """What a machine of a size takes."""

    name: str
    about: str
    models: tuple[str, ...]
    settings: Mapping[str, Mapping[str, Any]]  # section of tinig.toml → field → value


@dataclass(frozen=True, slots=True)
class Source:
    """A data set on the hub, pinned."""

    name: str
    about: str
    languages: tuple[str, ...]
    licence: str
    commercial: bool
    repository: str
    revision: str
    configurations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that can be fetched, by name."""

    models: Mapping[str, Model]
    tiers: Mapping[str, Tier]
    datasets: Mapping[str, Source]

    def model(self, name: str) -> Model:
        """Raises `ModelsError` for a name that is not there."""
        if name not in self.models:
            raise ModelsError(f"There is no model {name!r}. --list shows those that there are.")
        return self.models[name]

    def dataset(self, name: str) -> Source:
        """Raises `ModelsError` for a name that is not there."""
        if name not in self.datasets:
            known = ", ".join(self.datasets)
            raise ModelsError(f"There is no data set {name!r}, only: {known}.")
        return self.datasets[name]


def load(path: Path = MANIFEST) -> Manifest:
    """Read and check the manifest. Raises `ModelsError` that names the entry."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelsError(f"{path} cannot be read: {error}") from error
    models = {name: _model(name, entry) for name, entry in tables.get("models", {}).items()}
    tiers = {name: _tier(name, entry) for name, entry in tables.get("tiers", {}).items()}
    sources = {name: _source(name, entry) for name, entry in tables.get("datasets", {}).items()}
    for tier in tiers.values():
        for name in tier.models:
            _check(name in models, f"tiers.{tier.name}", f"there is no model {name!r}")
    return Manifest(models, tiers, sources)


def _model(name: str, entry: Mapping[str, Any]) -> Model:
    where = f"models.{name}"
    files = tuple(_file(where, file) for file in entry.get("files", ()))
    _check(bool(files), where, "it has no files")
    _check(len({file.name for file in files}) == len(files), where, "two files have one name")
    _check(entry.get("kind") in KINDS, where, f"kind is none of {', '.join(KINDS)}")
    card = entry.get("card", {})
    common = _common(where, {**entry, "card": card}, besides={"files", "kind", "card"})
    return Model(name, files=files, kind=entry["kind"], card=card, **common)


def _source(name: str, entry: Mapping[str, Any]) -> Source:
    where = f"datasets.{name}"
    common = _common(where, entry, besides={"configurations"})
    return Source(name, configurations=tuple(entry.get("configurations", ())), **common)


def _tier(name: str, entry: Mapping[str, Any]) -> Tier:
    _check({"about", "models"} <= entry.keys(), f"tiers.{name}", "about or models is missing")
    return Tier(name, entry["about"], tuple(entry["models"]), entry.get("settings", {}))


def _common(where: str, entry: Mapping[str, Any], *, besides: set[str]) -> dict[str, Any]:
    names = {"about", "languages", "licence", "commercial", "repository", "revision"}
    _check(entry.keys() == names | besides, where, f"it takes {', '.join(sorted(names | besides))}")
    _check(
        re.fullmatch(r"[0-9a-f]{40}", entry["revision"]) is not None,
        where,
        "revision is no commit of 40 hexadecimal digits, and a branch or a tag can move",
    )
    return {name: entry[name] for name in names - {"languages"}} | {
        "languages": tuple(entry["languages"])
    }


def _file(where: str, entry: Mapping[str, Any]) -> ModelFile:
    _check(entry.keys() <= {"path", "bytes", "sha256"}, where, "a file takes path, bytes, sha256")
    parts = PurePosixPath(entry.get("path", "")).parts
    _check(bool(parts) and not {"..", "/"} & set(parts), where, "a file has no path, or leaves it")
    digest = entry.get("sha256")
    _check(digest is None or re.fullmatch(r"[0-9a-f]{64}", digest) is not None, where, "bad sha256")
    return ModelFile(entry["path"], entry.get("bytes"), digest)


def _check(holds: bool, where: str, problem: str) -> None:
    if not holds:
        raise ModelsError(f"{MANIFEST.name}, [{where}]: {problem}.")
