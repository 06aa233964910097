"""Questions with answers: MGSM, Belebele, and GSM8K-like JSON lines.

MGSM       TSV without a header: question, number
Belebele   JSONL: flores_passage, question, mc_answer1 to mc_answer4, correct_answer_num
GSM8K      JSONL: question, answer; what stands behind "####" in the answer is the answer
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from evaluation.data.rows import (
    DataError,
    Problem,
    Row,
    RowError,
    jsonl_rows,
    parse,
    text_of,
    tsv_rows,
)

Kind = Literal["number", "choice", "text"]

_NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?")
_CHOICES = ("mc_answer1", "mc_answer2", "mc_answer3", "mc_answer4")


@dataclass(frozen=True, slots=True)
class Question:
    """One question, and what is right."""

    id: str
    language: str
    text: str  # all that the model is told, with the passage where there is one
    answer: str  # a number without separators, the text of the right choice, or any text
    kind: Kind
    choices: tuple[str, ...] = ()
    topic: str = ""  # for labels in reports


def read(path: Path, language: str) -> Iterator[Question | Problem]:
    """The questions of a file; its name and its columns tell the layout. Raises `DataError`."""
    if path.suffix == ".tsv":
        rows = tsv_rows(path, ("question", "answer"))
    elif path.suffix in (".jsonl", ".ndjson"):
        rows = jsonl_rows(path)
    else:
        raise DataError(f"{path} is neither .tsv (MGSM) nor .jsonl (Belebele, GSM8K).")
    yield from parse(path, rows, partial(_question, path.stem, language))


def _question(name: str, default_language: str, row: Row, line: int) -> Question:
    question_id = str(row.get("id") or f"{name}-{line}")
    language = str(row.get("language") or default_language)
    if "mc_answer1" in row:
        return _belebele(question_id, language, row)
    answer = _final(row)
    is_number = _NUMBER.fullmatch(answer) is not None
    return Question(
        question_id,
        language,
        text_of(row, "question"),
        answer.replace(",", "") if is_number else answer,
        "number" if is_number else "text",
        topic=str(row.get("topic") or ""),
    )


def _belebele(question_id: str, language: str, row: Row) -> Question:
    choices = tuple(text_of(row, name) for name in _CHOICES)
    number = str(row.get("correct_answer_num", ""))
    if number not in ("1", "2", "3", "4"):
        raise RowError(f"'correct_answer_num' is {number!r}, not 1 to 4")
    text = f"{text_of(row, 'flores_passage')}\n\n{text_of(row, 'question')}"
    return Question(question_id, language, text, choices[int(number) - 1], "choice", choices)


def _final(row: Row) -> str:
    """The answer itself: a number as it is, else what stands behind the last "####"."""
    answer = row.get("answer")
    if isinstance(answer, int | float) and not isinstance(answer, bool):
        return f"{answer:g}" if isinstance(answer, float) else str(answer)
    return text_of(row, "answer").rpartition("####")[2].strip()
