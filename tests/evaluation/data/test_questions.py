"""Questions in the layouts of MGSM, Belebele and GSM8K."""

import json
from pathlib import Path

import pytest

from evaluation.data.questions import Question, read
from evaluation.data.rows import DataError, split

BELEBELE = {
    "flores_passage": "Ang Maynila ay lungsod.",
    "question": "Ano ang Maynila?",
    "mc_answer1": "Ilog",
    "mc_answer2": "Lungsod",
    "mc_answer3": "Bundok",
    "mc_answer4": "Dagat",
}


def questions(path: Path, text: str, language: str = "tl") -> tuple[list[Question], list[int]]:
    path.write_text(text, encoding="utf-8")
    found, problems = split(read(path, language))
    return found, [problem.line for problem in problems]


def test_mgsm(tmp_path: Path) -> None:
    found, wrong = questions(tmp_path / "mgsm_es.tsv", "¿Cuántos?\t1,250\n¿Qué?\n", "es")
    assert found == [Question("mgsm_es-1", "es", "¿Cuántos?", "1250", "number")]
    assert wrong == [2]


def test_belebele(tmp_path: Path) -> None:
    lines = [{**BELEBELE, "correct_answer_num": n} for n in ("2", 3, 9)]
    text = "\n".join(map(json.dumps, lines))
    found, wrong = questions(tmp_path / "tgl_Latn.jsonl", text)
    assert [question.answer for question in found] == ["Lungsod", "Bundok"]
    assert found[0].kind == "choice"
    assert found[0].text == "Ang Maynila ay lungsod.\n\nAno ang Maynila?"
    assert wrong == [3]


@pytest.mark.parametrize(
    ("answer", "expected", "kind"),
    [
        ("5 + 7 = 12\n#### 12", "12", "number"),
        (7, "7", "number"),
        (2.5, "2.5", "number"),
        ("Paris", "Paris", "text"),
    ],
)
def test_gsm8k(tmp_path: Path, answer: object, expected: str, kind: str) -> None:
    row = {"question": "How many?", "answer": answer, "id": "q1", "language": "en"}
    found, wrong = questions(tmp_path / "own.jsonl", json.dumps(row))
    assert [(q.id, q.language, q.answer, q.kind) for q in found] == [("q1", "en", expected, kind)]
    assert wrong == []


def test_a_question_without_an_answer_is_said_by_line(tmp_path: Path) -> None:
    text = '{"question": "How many?", "answer": "1"}\n{"question": "Why?"}\n{"answer": true}'
    assert questions(tmp_path / "own.jsonl", text)[1] == [2, 3]


def test_another_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="neither"):
        list(read(tmp_path / "questions.xlsx", "en"))
