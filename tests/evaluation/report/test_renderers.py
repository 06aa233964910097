"""A report as a page, as Markdown, as JSON."""

import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from evaluation.metrics.bootstrap import Interval
from evaluation.report import markdown, page
from evaluation.report.document import Document
from evaluation.report.model import (
    Bars,
    Distribution,
    Figure,
    Lines,
    Matrix,
    Part,
    Plot,
    Section,
    Table,
    Waterfall,
)
from evaluation.report.plots import svg
from tests.evaluation.machine import MACHINE

RATE = Interval(0.1, 0.05, 0.2, 40)
PLOTS: list[Plot] = [
    Bars("Rates", {"en": {"clean": RATE, "telephone": RATE}, "hi": {"clean": RATE}}),
    Distribution("Times", {"en": [1.0, 5.0, 3.0], "hi": []}),
    Lines("Over calls", "calls", "ms", {"P50": [(1, 300.0), (2, 310.0)]}, limit=1800.0),
    Matrix("Taken for", {"en": {"en": 9, "hi": 1}, "hi": {"en": 0, "hi": 10}}),
    Waterfall("A turn", [("transcript", 0.0, 230.0), ("heard", 230.0, 450.0)]),
]
ORIGIN = {
    "commands": ["python -m evaluation all"],
    "revision": "abc",
    "normaliser_version": "1",
    "models": {"stt": {"models/starter/stt/model.bin": "f00d"}},
    "configuration": {"stt": {"threads": 1}},
    "machine": {**MACHINE, "load": [0.1, 0.2]},
}


@pytest.fixture(scope="module")
def document() -> Document:
    section = Section(
        "Errors & <more>", "One.\n\nTwo.", [Table(["a", "b"], [["x|y", "<b>"]], "हिंदी")], PLOTS
    )
    part = Part(["en: good."], [section], [Figure("wer.en", 0.1, 0.05, 0.2, 40)])
    return Document("A <report>", ["A note."], [part], {"stt": ORIGIN})


@pytest.mark.parametrize("plot", PLOTS, ids=lambda plot: type(plot).__name__)
def test_a_plot_is_one_svg_with_text_as_text(plot: Plot) -> None:
    drawing = svg(plot)
    root = ElementTree.fromstring(drawing)
    assert root.tag.endswith("svg")
    assert "viewBox" in root.attrib
    assert root.find(".//{http://www.w3.org/2000/svg}text") is not None
    assert svg(plot) == drawing


class _References(HTMLParser):
    """Whatever the page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {"src", "href", "xlink:href", "data", "srcset"}
        self.found += [value for name, value in attrs if name in names and value]


def test_the_page_is_whole_in_itself_and_escapes_what_it_is_told(document: Document) -> None:
    text = page.render(document)
    references = _References()
    references.feed(text)
    assert references.found
    assert all(reference.startswith("#") for reference in references.found)
    assert not re.search(r"url\((?!#)|@import|<script", text)
    assert "Errors &amp; &lt;more&gt;" in text
    assert "&lt;b&gt;" in text
    assert text.count("<svg") == len(PLOTS)
    assert 'name="viewport"' in text
    for told in ("A note.", "en: good.", "f00d", "python -m evaluation all", "version 1"):
        assert told in text


def test_markdown_has_every_table(document: Document) -> None:
    text = markdown.render(document)
    assert text.startswith("# A <report>\n\nA note.\n\n- en: good.\n")
    assert "| x\\|y | <b> |" in text
    cells = [[cell.strip() for cell in line.split("|")] for line in text.splitlines()]
    assert ["", "stt", "models/starter/stt/model.bin", "f00d", "all", ""] in cells


def test_json_has_every_figure(document: Document) -> None:
    data = json.loads(document.to_json())
    assert data["figures"] == [
        {"name": "wer.en", "value": 0.1, "low": 0.05, "high": 0.2, "num": 40}
    ]
    assert data["provenance"]["stt"]["revision"] == "abc"
