"""Write the pages that are generated from the code: `python -m scripts.generate_docs`."""

from collections.abc import Mapping
from pathlib import Path

from engines.config import REPOSITORY
from scripts.marks import filled
from scripts.protocol_tables import tables
from server.config import Config
from server.config_text import to_markdown
from server.conversation.machine import diagram


def pages() -> dict[Path, str]:
    """Every generated page and what it must hold."""
    docs = REPOSITORY / "docs"
    return {
        docs / "configuration.md": to_markdown(Config, hidden=f"{REPOSITORY}/"),
        docs / "design.md": _filled(docs / "design.md", {"the state machine": _diagram()}),
        docs / "protocol.md": _filled(docs / "protocol.md", tables()),
    }


def _filled(page: Path, parts: Mapping[str, str]) -> str:
    return filled(page.read_text(encoding="utf-8"), parts)


def _diagram() -> str:
    return f"```mermaid\n{diagram()}```"


def main() -> None:
    """Write all pages."""
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path.relative_to(REPOSITORY)}")


if __name__ == "__main__":
    main()
