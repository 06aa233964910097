"""The answers as lines of a file, written one by one: what was cut off goes on from them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from evaluation.ablation.run import Limits, Outcome
from evaluation.ablation.ways import Way
from evaluation.data.questions import Question
from evaluation.provenance import hashes
from evaluation.results import Record, Results, fingerprint
from server.config import Config

Known = Mapping[tuple[Question, Way], Outcome]


def settings_of(
    config: Config, files: Sequence[Path], language: str, limits: Limits
) -> dict[str, Any]:
    """What answers depend on beside the models' files: with others, all is asked anew."""
    return {
        "questions": hashes(files),
        "language": language,
        "limits": asdict(limits),
        "llm": asdict(config.llm),
        "translate": asdict(config.translate),
    }


def append(results: Results, outcome: Outcome) -> None:
    """Add an answer; it is in the file when this returns."""
    record = {
        "id": outcome.question.id,
        "language": outcome.question.language,
        "way": outcome.way.value,
        "question": outcome.question.text,
        "wanted": outcome.question.answer,
        "answer": outcome.answer,
        "is_right": outcome.is_right,
        "first_clause_seconds": outcome.first_clause_seconds,
        "seconds": outcome.seconds,
        "fallback": outcome.fallback,
        "error": outcome.error,
    }
    results.append(_key(outcome.question, outcome.way), record)


def known(results: Results, questions: Sequence[Question]) -> Known:
    """The answers to these questions that are there; one that failed is to be asked again."""
    found = {}
    for question in questions:
        for way in Way:
            record = results.get(_key(question, way))
            if record is not None and not record["error"]:
                found[question, way] = _outcome(question, way, record)
    return found


def _key(question: Question, way: Way) -> str:
    return f"{way.value}/{question.language}/{question.id}/{fingerprint(asdict(question))}"


def _outcome(question: Question, way: Way, record: Record) -> Outcome:
    return Outcome(
        way,
        question,
        record["answer"],
        record["is_right"],
        record["first_clause_seconds"],
        record["seconds"],
        record["fallback"],
        record["error"],
    )
