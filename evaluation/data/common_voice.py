"""Common Voice (Mozilla, CC0): a folder of a language with `test.tsv` and `clips/`."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from evaluation.data.layout import Recording
from evaluation.data.rows import DataError, Problem, Row, RowError, csv_rows, parse, text_of

LICENCE = "CC0"
LANGUAGES = {"en": "en", "es": "es", "fr": "fr", "hi": "hi", "tl": "tl"}


def read(folder: Path, language: str, split: str = "test") -> Iterator[Recording | Problem]:
    """The recordings of `<split>.tsv` in the folder of a language. Raises `DataError`."""
    if language not in LANGUAGES:
        raise DataError(f"Common Voice {language!r} is none of {', '.join(LANGUAGES)}.")
    path = folder / f"{split}.tsv"
    yield from parse(path, csv_rows(path, "\t"), partial(_recording, path, language))


def _recording(path: Path, language: str, row: Row, line: int) -> Recording:
    clip = path.parent / "clips" / text_of(row, "path")
    if not clip.is_file():
        raise RowError(f"the audio {clip} is missing")
    return Recording(
        id=f"{language}-{clip.stem}",
        text=text_of(row, "sentence"),
        language=language,
        speaker=str(row.get("client_id", ""))[:12],
        licence=LICENCE,
        audio=clip.read_bytes,
        file=path,
        line=line,
    )
