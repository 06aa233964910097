"""One file with everything of some models, for a machine that reaches no network.

An uncompressed tar, since weights do not compress: index.json first, which says what follows with
sizes, hashes and licences, then the files as MODEL/FILE. Installing it checks each against the
index, and the index against this machine's manifest.
"""

import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO

from scripts.models.errors import ModelsError
from scripts.models.fetch import Say, require_room
from scripts.models.manifest import Manifest, Model, ModelFile
from scripts.models.progress import Bar, size
from scripts.models.store import Store, sha256_of

_INDEX = "index.json"
_FORMAT = "tinig-models-1"
_CHUNK_BYTES = 1 << 20
_MOST_INDEX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a bundle."""

    model: str
    file: str
    revision: str
    licence: str
    bytes: int
    sha256: str

    @property
    def member(self) -> str:
        """Its name in the tar."""
        return f"{self.model}/{self.file}"


def pack(models: Sequence[Model], store: Store, target: Path, say: Say = print) -> None:
    """Write a bundle of models that are there. Every file is read again and checked first."""
    entries = [_entry(model, file, store, say) for model in models for file in model.files]
    total = sum(entry.bytes for entry in entries)
    require_room(target.resolve().parent, total)
    part = target.with_name(f"{target.name}.part")
    with tarfile.open(part, "w", format=tarfile.PAX_FORMAT) as tar:
        _add(tar, _INDEX, _index(entries))
        for entry in entries:
            tar.add(store.folder / entry.member, entry.member, filter=_anonymous)
    part.replace(target)
    say(f"{target}: {len(entries)} files of {len(models)} models, {size(total)}")
    say(f"SHA-256 of the bundle: {sha256_of(target)}")


def install(source: Path, store: Store, manifest: Manifest, say: Say = print) -> list[str]:
    """Take a bundle's files in, each verified; returns the models. Raises `ModelsError`."""
    try:
        with tarfile.open(source, "r|") as tar:
            return _install(tar, source, store, manifest, say)
    except (OSError, EOFError, tarfile.TarError) as error:
        raise ModelsError(f"{source} is no whole bundle: {error}. Copy it once more.") from error


def _install(
    tar: tarfile.TarFile, source: Path, store: Store, manifest: Manifest, say: Say
) -> list[str]:
    entries = _read_index(tar, source)
    files = {entry.member: _known(entry, manifest) for entry in entries.values()}
    require_room(store.folder, sum(entry.bytes for entry in entries.values()))
    while (member := tar.next()) is not None:  # iterating would begin with the index again
        entry, content = entries.pop(member.name, None), tar.extractfile(member)
        if entry is None or content is None:
            raise ModelsError(f"{source} holds {member.name!r}, which its index does not name.")
        model, file = files[entry.member]
        _take_in(content, entry, store.path(model, file), source)
        store.record(model, file, entry.sha256)
        say(f"{entry.member}: {size(entry.bytes)}, {entry.licence}, SHA-256 as in the bundle")
    if entries:
        raise ModelsError(f"{source} ends before {', '.join(entries)}. Copy it once more.")
    models = {model.name: model for model, _ in files.values()}
    for model in models.values():
        store.finish(model)
    return sorted(models)


def _read_index(tar: tarfile.TarFile, source: Path) -> dict[str, Entry]:
    first = tar.next()
    content = tar.extractfile(first) if first else None
    if first is None or content is None or first.name != _INDEX or first.size > _MOST_INDEX_BYTES:
        raise ModelsError(f"{source} is no bundle of models: it does not begin with {_INDEX}.")
    try:
        index = json.loads(content.read())
        entries = [Entry(**entry) for entry in index["files"]] if index["format"] == _FORMAT else []
    except (ValueError, TypeError, KeyError) as error:
        raise ModelsError(f"{source} has an index that cannot be read: {error!r}.") from error
    if not entries:
        raise ModelsError(f"{source} is no {_FORMAT} bundle: another version of Tinig made it.")
    return {entry.member: entry for entry in entries}


def _known(entry: Entry, manifest: Manifest) -> tuple[Model, ModelFile]:
    """The manifest's own entry, which a bundle has to agree with."""
    model = manifest.model(entry.model)
    file = next((file for file in model.files if file.name == entry.file), None)
    if file is None or model.revision != entry.revision:
        raise ModelsError(
            f"{entry.member} of revision {entry.revision} is not in this machine's manifest: make "
            "the bundle with the same version of Tinig."
        )
    if file.sha256 not in {None, entry.sha256}:
        raise ModelsError(
            f"{entry.member} has SHA-256 {entry.sha256} in the bundle, and {file.sha256} in "
            "this machine's manifest. It is not installed."
        )
    return model, file


def _take_in(content: IO[bytes], entry: Entry, target: Path, source: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part, digest, done = target.with_name(f"{target.name}.part"), sha256(), 0
    bar = Bar(entry.file, entry.bytes)
    with part.open("wb") as file:
        while chunk := content.read(_CHUNK_BYTES):
            file.write(chunk)
            digest.update(chunk)
            done += len(chunk)
            bar.update(done)
    bar.clear()
    if digest.hexdigest() != entry.sha256:
        part.unlink()
        raise ModelsError(f"{entry.member} in {source} is damaged (SHA-256). Copy it once more.")
    part.replace(target)


def _entry(model: Model, file: ModelFile, store: Store, say: Say) -> Entry:
    path = store.path(model, file)
    if not store.has(model, file):
        raise ModelsError(f"{path} is not there: fetch {model.name} first.")
    say(f"checking {model.name}/{file.name}")
    digest = sha256_of(path)
    if digest != store.expected_sha256(model, file):
        raise ModelsError(f"{path} is not the file of the record. Delete it and fetch it again.")
    length = path.stat().st_size
    return Entry(model.name, file.name, model.revision, model.licence, length, digest)


def _index(entries: Sequence[Entry]) -> bytes:
    body: Mapping[str, object] = {
        "format": _FORMAT,
        "files": [asdict(entry) for entry in entries],
    }
    return json.dumps(body, indent=1).encode()


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """The same bundle, whoever makes it and when."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = 0
    member.mode = 0o644
    return member
