"""What callers say who change their language, and the language that each answer is due in."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_suffix(".toml")


@dataclass(frozen=True, slots=True)
class Line:
    """One utterance."""

    voice: str  # language of the voice that says it
    says: str
    due: str  # language of the answer


@dataclass(frozen=True, slots=True)
class Scenario:
    """One call."""

    name: str
    lines: tuple[Line, ...]


@cache
def scenarios() -> tuple[Scenario, ...]:
    """Those of `scenarios.toml`."""
    data = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return tuple(
        Scenario(name, tuple(Line(*line) for line in lines)) for name, lines in data.items()
    )
