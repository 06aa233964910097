"""An owner's own recordings: a folder of audio files and a `.csv` or `.jsonl` that tells of them.

A row has `audio` (relative to the list) and `text`; `language` where the set has several, `speaker`
and `licence` if wanted. Audio is of any format that FFmpeg knows.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from evaluation.data.layout import LANGUAGES, Recording
from evaluation.data.rows import (
    DataError,
    Problem,
    Row,
    RowError,
    csv_rows,
    jsonl_rows,
    parse,
    text_of,
)


def read(listing: Path, language: str = "") -> Iterator[Recording | Problem]:
    """The recordings of a list; `language` is that of rows that name none. Raises `DataError`."""
    if listing.suffix == ".csv":
        rows = csv_rows(listing)
    elif listing.suffix in (".jsonl", ".ndjson"):
        rows = jsonl_rows(listing)
    else:
        raise DataError(f"{listing} is neither .csv nor .jsonl.")
    known: dict[str, int] = {}
    yield from parse(listing, rows, partial(_recording, listing, language, known))


def _recording(
    listing: Path, default_language: str, known: dict[str, int], row: Row, line: int
) -> Recording:
    name = text_of(row, "audio", "path", "file")
    clip = listing.parent / name
    if not clip.is_file():
        raise RowError(f"the audio {clip} is missing")
    clip_id = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name)
    if clip_id in known:
        raise RowError(f"{name} is in line {known[clip_id]} already")
    known[clip_id] = line
    return Recording(
        id=clip_id,
        text=text_of(row, "text", "transcript", "sentence"),
        language=_language(row, default_language),
        speaker=str(row.get("speaker") or ""),
        licence=str(row.get("licence") or ""),
        audio=clip.read_bytes,
        file=listing,
        line=line,
    )


def _language(row: Row, default: str) -> str:
    language = str(row.get("language") or default).strip()
    if language not in LANGUAGES:
        raise RowError(f"language {language!r} is none of {', '.join(LANGUAGES)}")
    return language
