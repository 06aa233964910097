"""What a model that was loaded says of itself, for the start-up log and `/readyz`."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engines.errors import ModelError

CARD_FILE = "tinig.json"  # beside a model


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """One model in memory: what it is, where it came from, where it runs and what it cost."""

    kind: str  # "stt", "llm", "tts", "vad"
    name: str
    path: str
    device: str  # "cpu", "cuda"
    megabytes: float  # of its files
    seconds: float  # to load and warm it

    def __str__(self) -> str:
        return (
            f"{self.kind}: {self.name} on {self.device}, "
            f"{self.megabytes:.1f} MB in {self.seconds:.1f} s, from {self.path}"
        )


class Stopwatch:
    """Seconds spent in a `with stopwatch() as watch:` block."""

    seconds: float = 0.0


@contextmanager
def stopwatch() -> Iterator[Stopwatch]:
    """Measure a block; `seconds` is set when it ends, however it ends."""
    watch = Stopwatch()
    started_at = time.perf_counter()
    try:
        yield watch
    finally:
        watch.seconds = time.perf_counter() - started_at


def megabytes_of(path: Path) -> float:
    """Size of a file, or of all files below a directory, in MB (10^6 bytes)."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files) / 1e6


def read_card(directory: Path) -> Mapping[str, Any]:
    """What a model's makers say of it, in `tinig.json` beside it; empty where there is none.

    Raises `ModelError` for a card that is broken.
    """
    return read_json(directory / CARD_FILE)


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object; empty where there is no such file. Raises `ModelError`."""
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise model_error(path, f"is broken: {error}") from error
    if not isinstance(content, dict):
        raise model_error(path, "is broken: it holds no JSON object")
    return content


def model_error(path: Path, problem: str) -> ModelError:
    """A `ModelError` that names the file and the command that mends it.

    `problem` completes the sentence that the path begins: "is missing", "is broken: ...".
    """
    if "models/starter" in path.as_posix():
        return ModelError(f"{path} {problem}. `make starter-models` restores the starter models.")
    return ModelError(f"{path} {problem}. Fix the path in tinig.toml or fetch the model again.")
