"""Fetch models: what is missing, whether it may be used and has room, then file by file."""

import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.models.errors import ModelsError
from scripts.models.hub import Hub
from scripts.models.manifest import Model, ModelFile
from scripts.models.progress import Bar, size
from scripts.models.store import Store, sha256_of

Say = Callable[[str], None]
_SPARE_BYTES = 200_000_000  # left on the disk for everything else


@dataclass(frozen=True, slots=True)
class Missing:
    """A file that is not there yet."""

    model: Model
    file: ModelFile
    url: str
    bytes: int | None  # None: not even the hub says
    hub_sha256: str | None  # what the hub says of it


def allowed(models: Iterable[Model], *, accept_restricted: bool, say: Say) -> list[Model]:
    """Those whose licence is accepted; shows every licence, and what is left out."""
    chosen = []
    for model in models:
        use = "commercial use allowed" if model.commercial else "NOT for commercial use"
        say(f"{model.name}: {model.licence}, {use}")
        if model.commercial or accept_restricted:
            chosen.append(model)
        else:
            say(f"  left out: --accept-restricted fetches it, for who keeps to {model.licence}")
    return chosen


def fetch(models: Sequence[Model], store: Store, hub: Hub, say: Say = print) -> None:
    """Fetch what is missing of these models. Raises `ModelsError`; what came is kept."""
    missing = [
        _ask(model, file, hub)
        for model in models
        for file in model.files
        if not store.has(model, file)
    ]
    needed = sum((item.bytes or 0) - _length(_part(store, item)) for item in missing)
    require_room(store.folder, needed)
    say(f"To fetch: {len(missing)} files, {size(needed)}, into {store.folder}")
    for item in missing:
        _fetch_file(item, store, hub, say)
    for model in models:
        store.finish(model)


def require_room(folder: Path, needed_bytes: int) -> None:
    """Raise `ModelsError` if the disk has not that much left."""
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < needed_bytes + _SPARE_BYTES:
        raise ModelsError(
            f"{folder} has {size(free)} left, and {size(needed_bytes + _SPARE_BYTES)} are needed. "
            "Free some, or name another disk with --into."
        )


def _ask(model: Model, file: ModelFile, hub: Hub) -> Missing:
    """Size and hash from the manifest; the hub is asked for what it does not know."""
    url = hub.url(model.repository, model.revision, file.path)
    if file.bytes is not None and file.sha256 is not None:
        return Missing(model, file, url, file.bytes, None)
    told = hub.ask(url)
    return Missing(model, file, url, file.bytes or told.bytes, told.sha256)


def _fetch_file(item: Missing, store: Store, hub: Hub, say: Say) -> None:
    target, part = store.path(item.model, item.file), _part(store, item)
    target.parent.mkdir(parents=True, exist_ok=True)
    published = store.expected_sha256(item.model, item.file)
    digest = _whole(item, part, hub, published or item.hub_sha256, say)
    part.replace(target)
    store.record(item.model, item.file, digest)
    label = f"{item.model.name}/{item.file.name}: {size(target.stat().st_size)}"
    if published:
        say(f"{label}, SHA-256 as expected")
    else:
        source = "and the hub says the same" if item.hub_sha256 else "which nobody could compare"
        say(f"{label}, SHA-256 recorded, {source}: {digest}")


def _whole(item: Missing, part: Path, hub: Hub, expected: str | None, say: Say) -> str:
    """Fetch until the hash is right; a file that was taken up again gets a second chance, whole."""
    for last in (False, True):
        bar = Bar(item.file.name, item.bytes)
        try:
            hub.fetch(item.url, part, bar.update)
        finally:
            bar.clear()
        digest = sha256_of(part)
        if expected in {None, digest}:
            return digest
        part.unlink()
        if not last:
            say(f"{item.file.name} came with a wrong SHA-256; fetching it once more from the start")
    raise ModelsError(
        f"{item.url} has SHA-256 {digest}, and {expected} is expected: it is not the file that was "
        "looked up. Nothing of it was kept; do not use another source's copy either until it is "
        "known why."
    )


def _part(store: Store, item: Missing) -> Path:
    target = store.path(item.model, item.file)
    return target.with_name(f"{target.name}.part")


def _length(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0
