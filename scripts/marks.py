"""Pages that are written by hand but for some parts, each between two marks."""

from collections.abc import Mapping

END = "<!-- end -->"


def filled(page: str, parts: Mapping[str, str]) -> str:
    """The page with each part between its marks, `<!-- generated: NAME -->` and `END`.

    Raises `ValueError` where the page has no place for one.
    """
    for name, part in parts.items():
        start = f"<!-- generated: {name} -->"
        before, found, rest = page.partition(start)
        _, ended, after = rest.partition(END)
        if not (found and ended):
            raise ValueError(f"The page has no {start} with its {END}.")
        page = f"{before}{start}\n\n{part}\n\n{END}{after}"
    return page
