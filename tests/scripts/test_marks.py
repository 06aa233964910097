"""Parts of pages that are written by programs."""

import pytest

from scripts.marks import filled

PAGE = "# Page\n\n<!-- generated: a -->\nold\n<!-- end -->\n\n<!-- generated: b -->\n<!-- end -->\n"


def test_a_part_replaces_its_own_place_alone() -> None:
    once = filled(PAGE, {"a": "new"})
    assert "new" in once
    assert "old" not in once
    assert once.endswith("<!-- generated: b -->\n<!-- end -->\n")
    assert filled(once, {"a": "new"}) == once


@pytest.mark.parametrize("page", [PAGE, "<!-- generated: c -->\nwithout an end"])
def test_a_page_without_a_place_for_it_is_an_error(page: str) -> None:
    with pytest.raises(ValueError, match="generated: c"):
        filled(page, {"c": "new"})
