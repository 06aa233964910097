"""A report as Markdown: what can be read in a terminal or beside the code."""

from collections.abc import Iterator

from evaluation.report.document import Document
from evaluation.report.model import Section, Table
from evaluation.tables import markdown


def render(document: Document) -> str:
    """The whole report; plots are left to the page."""
    return "\n".join(_lines(document)).rstrip() + "\n"


def _lines(document: Document) -> Iterator[str]:
    yield from (f"# {document.title}", "")
    for paragraph in document.notes:
        yield from (paragraph, "")
    yield from (f"- {sentence}" for sentence in document.summary)
    yield ""
    for section in (*document.sections, *document.origin):
        yield from _section(section)


def _section(section: Section) -> Iterator[str]:
    yield from (f"## {section.title}", "")
    if section.about:
        yield from (section.about, "")
    for table in section.tables:
        yield from table_lines(table)
        yield ""


def table_lines(table: Table) -> Iterator[str]:
    """A table of GitHub's Markdown."""
    if table.caption:
        yield from (f"**{table.caption}**", "")
    rows = [[cell.replace("|", "\\|") for cell in row] for row in table.rows]
    yield from markdown(table.header, rows).splitlines()
