"""Data sets of the hub, fetched and turned into the plain layout of `evaluation.data.layout`.

Of FLEURS the test set of each language: a table of sentences and an archive of recordings, of which
only the layout is kept.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from evaluation.data.fleurs import read_tsv
from evaluation.data.layout import DATASETS, read_dataset, write_dataset
from evaluation.data.rows import DataError, Problem
from scripts.models.errors import ModelsError
from scripts.models.fetch import Say, fetch
from scripts.models.hub import Hub
from scripts.models.manifest import Model, ModelFile, Source
from scripts.models.store import Store

_TABLE, _AUDIO = "test.tsv", "test.tar.gz"


def fetch_dataset(
    source: Source, hub: Hub, say: Say = print, *, into: Path = DATASETS, only: Sequence[str] = ()
) -> Path:
    """Fetch a data set into `into`/NAME. Raises `ModelsError`; what is whole is kept.

    `only`: some of its configurations, "hi_in"; all when empty.
    """
    folder = into / source.name
    store = Store(into / f".{source.name}")
    for configuration in only or source.configurations:
        done = store.folder / f"{configuration}.done"
        if done.exists():
            say(f"{source.name} {configuration} is there already")
            continue
        _fetch_parts(_as_model(source, configuration), store, hub, folder, say)
        done.touch()
    clips = read_dataset(folder)[0].clips
    say(f"{folder}: {len(clips)} recordings, {source.licence}")
    return folder


def _fetch_parts(parts: Model, store: Store, hub: Hub, folder: Path, say: Say) -> None:
    fetch([parts], store, hub, say)
    table, audio = (store.path(parts, file) for file in parts.files)
    say(f"{parts.name}: writing WAV files of 16 kHz and the manifest")
    problems = 0
    try:
        for item in write_dataset(folder, read_tsv(table, audio, parts.name)):
            if isinstance(item, Problem):
                problems += 1
                say(f"  {item}")
    except DataError as error:
        raise ModelsError(f"{error} Delete {table.parent} and fetch it again.") from error
    say(f"{parts.name}: {problems} rows left out")
    shutil.rmtree(table.parent)


def _as_model(source: Source, configuration: str) -> Model:
    """What is downloaded of it, as any other pinned files."""
    base = f"data/{configuration}"
    return Model(
        name=configuration,
        kind="dataset",
        about=source.about,
        languages=source.languages,
        licence=source.licence,
        commercial=source.commercial,
        repository=f"datasets/{source.repository}",
        revision=source.revision,
        files=(ModelFile(f"{base}/{_TABLE}"), ModelFile(f"{base}/audio/{_AUDIO}")),
    )
