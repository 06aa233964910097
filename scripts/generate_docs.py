"""Write the pages that are generated from the code: `python -m scripts.generate_docs`."""

from pathlib import Path

from engines.config import REPOSITORY
from server.config import Config
from server.config_text import to_markdown


def pages() -> dict[Path, str]:
    """Every generated page and what it must hold."""
    return {
        REPOSITORY / "docs" / "configuration.md": to_markdown(Config, hidden=f"{REPOSITORY}/"),
    }


def main() -> None:
    """Write all pages."""
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path.relative_to(REPOSITORY)}")


if __name__ == "__main__":
    main()
