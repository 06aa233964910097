"""Write the pages that are generated from the code: `python -m scripts.generate_docs`."""

from pathlib import Path

from engines.config import REPOSITORY
from server.config import Config
from server.config_text import to_markdown
from server.conversation.machine import diagram

START, END = "<!-- generated: the state machine -->", "<!-- end -->"


def pages() -> dict[Path, str]:
    """Every generated page and what it must hold."""
    docs = REPOSITORY / "docs"
    return {
        docs / "configuration.md": to_markdown(Config, hidden=f"{REPOSITORY}/"),
        docs / "design.md": _with_diagram((docs / "design.md").read_text(encoding="utf-8")),
    }


def _with_diagram(text: str) -> str:
    """The page with the state machine's diagram between its two marks."""
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}\n\n```mermaid\n{diagram()}```\n\n{END}{after}"


def main() -> None:
    """Write all pages."""
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path.relative_to(REPOSITORY)}")


if __name__ == "__main__":
    main()
