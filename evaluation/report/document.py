"""A whole report: the parts that were measured, and where they come from."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from evaluation.report.model import Figure, Part, Section, Table

Origin = Mapping[str, Any]  # what `evaluation.provenance` says
Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """What the renderers show."""

    title: str
    notes: Sequence[str]
    parts: Sequence[Part]
    provenance: Mapping[str, Origin]  # by what was measured: "stt", "tts"

    @property
    def summary(self) -> list[str]:
        """A sentence each, for who reads no further."""
        return [sentence for part in self.parts for sentence in part.summary]

    @property
    def sections(self) -> list[Section]:
        """Of all parts."""
        return [section for part in self.parts for section in part.sections]

    @property
    def figures(self) -> dict[str, Figure]:
        """All numbers by name."""
        return {figure.name: figure for part in self.parts for figure in part.figures}

    @property
    def origin(self) -> list[Section]:
        """Command, commit, machine, models, configuration, of each part its own."""
        return [
            self._origin("Where this comes from", ["", ""], _run),
            self._origin("Models", ["role", "file", "SHA-256"], _models),
            self._origin("Configuration", ["setting", "value"], _configuration),
        ]

    def _origin(
        self, title: str, header: Sequence[str], rows_of: Callable[[Origin], Iterator[Row]]
    ) -> Section:
        """What several parts have alike is one row, which names them."""
        parts: dict[Row, list[str]] = {}
        for part, origin in self.provenance.items():
            for row in rows_of(origin):
                parts.setdefault(row, []).append(part)
        names = list(dict.fromkeys(row[0] for row in parts))
        rows = [
            [*row, "all" if len(own) == len(self.provenance) else ", ".join(own)]
            for row, own in sorted(parts.items(), key=lambda item: names.index(item[0][0]))
        ]
        return Section(title, tables=[Table([*header, "parts"], rows)])

    def to_json(self) -> str:
        """For machines: the figures and the provenance."""
        figures = [asdict(figure) for figure in self.figures.values()]
        whole = {"title": self.title, "figures": figures, "provenance": self.provenance}
        return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def _run(origin: Origin) -> Iterator[Row]:
    machine = origin["machine"]
    for command in origin["commands"]:
        yield "command", command
    yield "revision", origin["revision"] or "not a checkout"
    yield "normaliser", f"version {origin['normaliser_version']}"
    yield "processor", f"{machine['processor']}, {machine['cpus']} CPUs"
    yield "memory", f"{machine['memory_gib']} GiB"
    yield "system", f"{machine['system']}, Python {machine['python']}"
    packages = machine["packages"].items()
    yield "packages", ", ".join(f"{name} {number}" for name, number in packages)
    yield "load when it began", " ".join(str(load) for load in machine["load"])


def _models(origin: Origin) -> Iterator[Row]:
    for role, files in origin["models"].items():
        for file, digest in files.items():
            yield role, file, digest


def _configuration(origin: Origin) -> Iterator[Row]:
    yield from _settings("", origin["configuration"])


def _settings(path: str, value: Any) -> Iterator[Row]:
    """A row for each value, however deep it lies."""
    if isinstance(value, list) and any(isinstance(each, Mapping) for each in value):
        value = {str(index): each for index, each in enumerate(value)}
    if not isinstance(value, Mapping):
        yield path, json.dumps(value, ensure_ascii=False)
        return
    for name, each in value.items():
        yield from _settings(f"{path}.{name}" if path else name, each)
