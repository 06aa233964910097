"""Every page that a page points to is there."""

import re
from pathlib import Path

import pytest

from engines.config import REPOSITORY

PAGES = sorted(
    page
    for folder in (".", "docs", "models/starter", "requirements", "server", "packaging")
    for page in (REPOSITORY / folder).glob("*.md" if folder == "." else "**/*.md")
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    local = [target for target in targets if not re.match(r"[a-z]+:", target)]
    assert [target for target in local if not (page.parent / target).exists()] == []
