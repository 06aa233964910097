"""Whether an answer, as it would be spoken, is the right one."""

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from evaluation.data.questions import Question
from server.language.numerals import folded, numbers_in

_LETTERS = "ABCD"


def is_right(answer: str, question: Question) -> bool:
    """By the kind of the question.

    number: the last number that is said, in digits or words, is the right one (as MGSM is scored).
    choice: the right choice is named, by its number, its letter or its words, and no other one.
    text: the right words are in it, whatever the case and the accents.
    """
    match question.kind:
        case "number":
            return _is_number(answer, question)
        case "choice":
            return _named(answer, question.choices) == {question.choices.index(question.answer)}
        case "text":
            return _words(question.answer) in _words(answer)


def _is_number(answer: str, question: Question) -> bool:
    said = numbers_in(answer, question.language)
    try:
        return bool(said) and said[-1] == Decimal(question.answer)
    except InvalidOperation:
        return False


def _named(answer: str, choices: Sequence[str]) -> set[int]:
    """The choices that an answer names."""
    marked = re.fullmatch(r"\W*(?:([A-Da-d])|([1-4]))\b\W*", answer.partition("\n")[0])
    if marked:
        return {_LETTERS.index(marked[1].upper()) if marked[1] else int(marked[2]) - 1}
    said = _words(answer)
    found = {number for number, choice in enumerate(choices) if _words(choice) in said}
    # "ten" is in "ten thousand": of choices within each other the longest is meant
    return {
        number
        for number in found
        if not any(
            _words(choices[number]) in _words(choices[other]) and number != other for other in found
        )
    }


def _words(text: str) -> str:
    """Folded words with single spaces, one at each end too."""
    words = re.findall(r"[^\W_][\w\u0900-\u097f]*", folded(text))
    return f" {' '.join(words)} "
