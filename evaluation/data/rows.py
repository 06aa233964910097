"""Rows of text files by line number, so that what is wrong can be said of the line it stands in.

A reader yields what it could read and a `Problem` for what it could not, and goes on.
"""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
Row = Mapping[str, Any]


class DataError(Exception):
    """A whole file or folder cannot be read. Says what was expected and what to do."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one row; the others were read."""

    file: Path
    line: int  # from 1, as editors count
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


class RowError(Exception):
    """One row cannot be used: raised by the function that reads it, told as a `Problem`."""


def parse(
    path: Path, rows: Iterable[tuple[int, Row | RowError]], read: Callable[[Row, int], T]
) -> Iterator[T | Problem]:
    """`read(row, line)` of every row; a `Problem` where it raised `RowError` or is no row."""
    for line, row in rows:
        try:
            if isinstance(row, RowError):
                raise row
            yield read(row, line)
        except RowError as error:
            yield Problem(path, line, str(error))


def split(results: Iterable[T | Problem]) -> tuple[list[T], list[Problem]]:
    """What was read, and what was not."""
    items: list[T] = []
    problems: list[Problem] = []
    for result in results:
        if isinstance(result, Problem):
            problems.append(result)
        else:
            items.append(result)
    return items, problems


def jsonl_rows(path: Path) -> Iterator[tuple[int, Row | RowError]]:
    """The objects of a JSON-lines file with their line numbers; empty lines are passed over.

    Raises `DataError` when there is no such file or it is not UTF-8.
    """
    for line, text in enumerate(_lines(path), start=1):
        if not text.strip():
            continue
        try:
            row = json.loads(text)
        except json.JSONDecodeError as error:
            yield line, RowError(f"no JSON: {error.msg} at column {error.colno}")
            continue
        if isinstance(row, dict):
            yield line, row
        else:
            yield line, RowError(f"an object is expected, not {type(row).__name__}")


def csv_rows(path: Path, delimiter: str = ",") -> Iterator[tuple[int, Row | RowError]]:
    """The rows of a CSV or TSV file with a header, by lower-case column, with line numbers.

    In a TSV a quote is a letter like any other, as Common Voice has them. Raises `DataError`, also
    for a quote that is never closed, which makes one cell of all that follows.
    """
    lines = _lines(path)
    if delimiter == "\t":
        reader = csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    else:
        reader = csv.reader(lines, delimiter=delimiter)
    header = [name.strip().lower() for name in next(reader, [])]
    if not header:
        raise DataError(f"{path} is empty: its first line has to name the columns.")
    before = reader.line_num
    try:
        for cells in reader:
            line, before = before + 1, reader.line_num
            if len(cells) == len(header):
                yield line, dict(zip(header, cells, strict=True))
            elif cells:
                yield line, RowError(f"{len(cells)} columns, but the header names {len(header)}")
    except csv.Error as error:
        raise DataError(
            f"{path}: a quote that begins in line {before + 1} is never closed ({error})."
        ) from error


def tsv_rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, Row | RowError]]:
    """The rows of a TSV file without a header; columns beyond those named are passed over."""
    for line, text in enumerate(_lines(path), start=1):
        cells = text.rstrip("\n").split("\t")
        if not text.strip():
            continue
        if len(cells) < len(columns):
            yield line, RowError(f"{len(cells)} columns, but {len(columns)} are expected")
        else:
            yield line, dict(zip(columns, cells, strict=False))


def text_of(row: Row, *names: str) -> str:
    """The first of these columns that holds text. Raises `RowError` when none does."""
    for name in names:
        value = row.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip()
    raise RowError(f"{' or '.join(repr(name) for name in names)} is missing or empty")


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from file
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8: save it as UTF-8 ({error.reason}).") from error
