"""The folder of a run: results line by line, what they were measured with, and the report.

run.json         part -> its configuration's fingerprint, its settings, where it comes from
stt.jsonl …      results (`results.py`)
report.json, report.md, report.html
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.conversation import summary as conversation
from evaluation.report import markdown, page
from evaluation.report.document import Document
from evaluation.report.model import Part
from evaluation.results import Record, Results, fingerprint
from evaluation.routing import summary as routing
from evaluation.stt import streaming_summary
from evaluation.stt import summary as stt
from evaluation.tts import summary as tts

REPORT = "report"
_RUN = "run.json"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """One run of the evaluation."""

    path: Path

    def begin(self, part: str, settings: Mapping[str, Any], provenance: Mapping[str, Any]) -> None:
        """Note what a part is measured with from now on."""
        self.path.mkdir(parents=True, exist_ok=True)
        note = {
            "configuration": fingerprint(settings),
            "settings": settings,
            "provenance": provenance,
        }
        text = json.dumps({**self._notes(), part: note}, ensure_ascii=False, indent=1)
        (self.path / _RUN).write_text(text + "\n", encoding="utf-8")

    def results(self, part: str) -> Results:
        """The results of a part with its present configuration."""
        return Results(self.path / f"{part}.jsonl", str(self._notes()[part]["configuration"]))

    def records(self, part: str) -> list[Record]:
        """What was measured of a part with its present configuration."""
        return self.results(part).records if part in self._notes() else []

    def settings(self, part: str) -> Mapping[str, Any]:
        """What a part was measured with; empty when it was not."""
        settings: Mapping[str, Any] = self._notes().get(part, {}).get("settings", {})
        return settings

    def document(self, title: str, notes: Sequence[str]) -> Document:
        """The report of all parts that were measured. Raises `FileNotFoundError` if none was."""
        known = self._notes()
        if not known:
            raise FileNotFoundError(f"{self.path} holds no results: measure something first.")
        provenance = {part: note["provenance"] for part, note in known.items()}
        return Document(title, notes, self._parts(), provenance)

    def _parts(self) -> list[Part]:
        makers: list[Callable[[], Part]] = [
            lambda: stt.summarise(self.records("stt")),
            lambda: streaming_summary.summarise(self.records("streaming"), self.records("stt")),
            self._tts,
            lambda: routing.summarise(self.records("routing")),
            lambda: conversation.summarise(self.path),
        ]
        return [make() for make in makers]

    def _tts(self) -> Part:
        settings = self.settings("tts")
        judge, is_own = str(settings.get("judge", "")), bool(settings.get("judge_is_own", True))
        return tts.summarise(self.records("tts"), judge, is_own=is_own)

    def _notes(self) -> dict[str, Any]:
        path = self.path / _RUN
        notes: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
        return notes


def write_report(document: Document, folder: Path) -> None:
    """As JSON, Markdown and a page."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / REPORT
    target.with_suffix(".json").write_text(document.to_json(), encoding="utf-8")
    target.with_suffix(".md").write_text(markdown.render(document), encoding="utf-8")
    target.with_suffix(".html").write_text(page.render(document), encoding="utf-8")
