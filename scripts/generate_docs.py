"""Write the pages that are generated from the code: `python -m scripts.generate_docs`."""

from collections.abc import Mapping
from pathlib import Path

from engines.config import REPOSITORY
from scripts.protocol_tables import tables
from server.config import Config
from server.config_text import to_markdown
from server.conversation.machine import diagram

END = "<!-- end -->"


def pages() -> dict[Path, str]:
    """Every generated page and what it must hold."""
    docs = REPOSITORY / "docs"
    return {
        docs / "configuration.md": to_markdown(Config, hidden=f"{REPOSITORY}/"),
        docs / "design.md": _filled(docs / "design.md", {"the state machine": _diagram()}),
        docs / "protocol.md": _filled(docs / "protocol.md", tables()),
    }


def _filled(page: Path, parts: Mapping[str, str]) -> str:
    """The page with each part between its two marks."""
    text = page.read_text(encoding="utf-8")
    for name, part in parts.items():
        start = f"<!-- generated: {name} -->"
        before, _, rest = text.partition(start)
        _, _, after = rest.partition(END)
        text = f"{before}{start}\n\n{part}\n\n{END}{after}"
    return text


def _diagram() -> str:
    return f"```mermaid\n{diagram()}```"


def main() -> None:
    """Write all pages."""
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path.relative_to(REPOSITORY)}")


if __name__ == "__main__":
    main()
