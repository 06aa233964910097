"""A report as one HTML file that needs no other: tables, plots, light and dark, any width."""

from pathlib import Path

import jinja2

from evaluation.report.document import Document
from evaluation.report.plots import svg

_TEMPLATE = Path(__file__).with_name("page.html.jinja")


def render(document: Document) -> str:
    """The page."""
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    return template.render(document=document, svg=svg)
