"""What a model that was loaded says of itself, for the start-up log and `/readyz`."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from engines.errors import ModelError


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


def model_error(path: Path, problem: str) -> ModelError:
    """A `ModelError` that names the file and the command that mends it.

    `problem` completes the sentence that the path begins: "is missing", "is broken: ...".
    """
    if "models/starter" in path.as_posix():
        return ModelError(f"{path} {problem}. `make starter-models` restores the starter models.")
    return ModelError(f"{path} {problem}. Fix the path in tinig.toml or fetch the model again.")
