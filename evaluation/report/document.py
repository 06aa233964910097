"""A whole report: the parts that were measured, and where they come from."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from evaluation.report.model import Figure, Part, Section, Table


@dataclass(frozen=True, slots=True)
class Document:
    """What the renderers show."""

    title: str
    notes: Sequence[str]
    parts: Sequence[Part]
    provenance: Mapping[str, Any]

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
        """Command, commit, machine, models, configuration."""
        return [_run(self.provenance), _models(self.provenance), _configuration(self.provenance)]

    def to_json(self) -> str:
        """For machines: the figures and the provenance."""
        figures = [asdict(figure) for figure in self.figures.values()]
        whole = {"title": self.title, "figures": figures, "provenance": self.provenance}
        return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def _run(provenance: Mapping[str, Any]) -> Section:
    machine = provenance["machine"]
    packages = ", ".join(f"{name} {number}" for name, number in machine["packages"].items())
    rows = [
        *(["command", command] for command in provenance["commands"]),
        ["revision", provenance["revision"] or "not a checkout"],
        ["normaliser", f"version {provenance['normaliser_version']}"],
        ["processor", f"{machine['processor']}, {machine['cpus']} CPUs"],
        ["memory", f"{machine['memory_gib']} GiB"],
        ["system", f"{machine['system']}, Python {machine['python']}"],
        ["packages", packages],
        ["load when it began", " ".join(str(load) for load in machine["load"])],
    ]
    return Section("Where this comes from", tables=[Table(["", ""], rows)])


def _models(provenance: Mapping[str, Any]) -> Section:
    rows = [
        [role, file, digest]
        for role, files in provenance["models"].items()
        for file, digest in files.items()
    ]
    return Section("Models", tables=[Table(["role", "file", "SHA-256"], rows)])


def _configuration(provenance: Mapping[str, Any]) -> Section:
    rows = list(_settings("", provenance["configuration"]))
    return Section("Configuration", tables=[Table(["setting", "value"], rows)])


def _settings(path: str, value: Any) -> Iterator[list[str]]:
    """A row for each value, however deep it lies."""
    if isinstance(value, list) and any(isinstance(each, Mapping) for each in value):
        value = {str(index): each for index, each in enumerate(value)}
    if not isinstance(value, Mapping):
        yield [path, json.dumps(value, ensure_ascii=False)]
        return
    for name, each in value.items():
        yield from _settings(f"{path}.{name}" if path else name, each)
