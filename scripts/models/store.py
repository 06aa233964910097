"""The folder of downloaded models, and what is on record about its files.

    models/downloaded/NAME/FILE    a model is a folder; FILE.part while it is on its way
    models/downloaded/recorded.json    revision, size and SHA-256 of every file, as it was taken in

The record is what a file without a published hash has to equal from the first download on.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from scripts.models.errors import ModelsError
from scripts.models.manifest import REPOSITORY, Model, ModelFile

DOWNLOADED = REPOSITORY / "models" / "downloaded"
CARD_FILE = "tinig.json"  # as engines.stt.whisper looks for it


@dataclass(frozen=True, slots=True)
class Record:
    """What a file was when it was taken in."""

    revision: str
    bytes: int
    sha256: str


class Store:
    """Where models lie."""

    def __init__(self, folder: Path = DOWNLOADED) -> None:
        self.folder = folder.resolve()
        self._records = self.folder / "recorded.json"

    def path(self, model: Model, file: ModelFile) -> Path:
        """Where a file lies, or would."""
        return self.folder / model.name / file.name

    def expected_sha256(self, model: Model, file: ModelFile) -> str | None:
        """Of the manifest, else of the record; None for a file that nobody has hashed yet."""
        record = self._read().get(self._key(model, file))
        recorded = record.sha256 if record and record.revision == model.revision else None
        return file.sha256 or recorded

    def has(self, model: Model, file: ModelFile) -> bool:
        """Whether the file is there, as recorded. Its size is compared; `verify` reads it."""
        record, path = self._read().get(self._key(model, file)), self.path(model, file)
        return (
            record is not None
            and record.revision == model.revision
            and record.sha256 == (file.sha256 or record.sha256)
            and path.is_file()
            and path.stat().st_size == record.bytes
        )

    def record(self, model: Model, file: ModelFile, digest: str) -> None:
        """Write down what has been taken in."""
        records = self._read()
        length = self.path(model, file).stat().st_size
        records[self._key(model, file)] = Record(model.revision, length, digest)
        entries = {key: asdict(records[key]) for key in sorted(records)}
        self._records.write_text(json.dumps(entries, indent=2) + "\n")

    def finish(self, model: Model) -> None:
        """Lay its card beside a model whose files are all there."""
        if model.card:
            (self.folder / model.name / CARD_FILE).write_text(json.dumps(model.card) + "\n")

    def verify(self, model: Model) -> Iterator[str]:
        """Read every file again; yields a sentence for each that is not what it was."""
        for file in model.files:
            path = self.path(model, file)
            if not path.is_file():
                yield f"{path} is missing."
            elif sha256_of(path) != self.expected_sha256(model, file):
                yield f"{path} is not the file of the record. Delete it and fetch it again."

    def _key(self, model: Model, file: ModelFile) -> str:
        return f"{model.name}/{file.name}"

    def _read(self) -> dict[str, Record]:
        if not self._records.exists():
            return {}
        try:
            entries = json.loads(self._records.read_text())
            return {key: Record(**entry) for key, entry in entries.items()}
        except (ValueError, TypeError, AttributeError) as error:
            raise ModelsError(
                f"{self._records} is broken: {error}. Delete it to have it made again: files whose "
                "hash nobody published are then fetched once more."
            ) from error


def sha256_of(path: Path) -> str:
    """Of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
