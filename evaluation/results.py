"""What was measured, a JSON object a line, so that a run that was cut off goes on where it was.

A line is written when its clip is done, and whole or not at all. Lines are known by the clip and by
the configuration with which it was measured: with another model everything is measured again, and
what the old one did is still there to be compared with. Of several lines of one clip the last one
counts.
"""

import hashlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from tqdm import tqdm

Record = Mapping[str, Any]
T = TypeVar("T")

CONFIGURATION = "configuration"
KEY = "key"


def fingerprint(configuration: Mapping[str, Any]) -> str:
    """Twelve characters that any change of the configuration changes."""
    text = json.dumps(configuration, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


class Results:
    """The lines of one file that have one configuration."""

    def __init__(self, path: Path, configuration: str) -> None:
        self.path = path
        self.configuration = configuration
        path.parent.mkdir(parents=True, exist_ok=True)
        _end_last_line(path)
        self._records: dict[str, Record] = {
            record[KEY]: record for record in read(path) if record[CONFIGURATION] == configuration
        }

    @property
    def records(self) -> list[Record]:
        """All of them."""
        return list(self._records.values())

    def has(self, key: str) -> bool:
        """Whether this has been measured."""
        return key in self._records

    def get(self, key: str) -> Record | None:
        """What was measured; None if nothing was."""
        return self._records.get(key)

    def append(self, key: str, record: Record) -> None:
        """Add a line; it is in the file when this returns."""
        whole = {KEY: key, CONFIGURATION: self.configuration, **record}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(whole, ensure_ascii=False) + "\n")
        self._records[key] = whole

    def pending(self, jobs: Iterable[T], key: Callable[[T], str]) -> list[T]:
        """The jobs that have not been measured."""
        return [job for job in jobs if not self.has(key(job))]


def read(path: Path) -> Iterator[Record]:
    """All lines of a file of results; a line that was cut off is passed over."""
    if not path.exists():
        return
    with path.open(encoding="utf-8") as file:
        for line in file:
            try:
                record = json.loads(line)
            except json.JSONDecodeError:
                continue
            if isinstance(record, dict) and KEY in record and CONFIGURATION in record:
                yield record


def with_progress(items: Sequence[T], label: str) -> Iterator[T]:
    """The items, with a bar on the terminal while they are worked on."""
    yield from tqdm(items, desc=label, unit="", file=sys.stderr, disable=None, dynamic_ncols=True)


def _end_last_line(path: Path) -> None:
    """So that the next line does not join one that was cut off."""
    if path.exists() and path.stat().st_size:
        with path.open("rb+") as file:
            file.seek(-1, 2)
            if file.read(1) != b"\n":
                file.write(b"\n")
