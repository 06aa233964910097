"""The incremental segmenter: where it cuts, where it must not, whatever the tokens."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.language.sentences import SentenceStream

CASES = Path(__file__).with_name("sentence_cases")
LANGUAGES = ("en", "es", "fr", "hi", "tl")


def segment(text: str, language: str, tokens: list[str] | None = None) -> list[str]:
    """All pieces as they come."""
    stream = SentenceStream(language)
    pieces = [piece for token in tokens or list(text) for piece in stream.push(token)]
    return pieces + stream.flush()


def stripped(text: str, language: str) -> list[str]:
    return [piece.strip() for piece in segment(text, language)]


@pytest.mark.parametrize(
    ("language", "pieces"),
    [
        ("en", ["Hello!", "How can I help you?", "We open at nine."]),
        ("en", ["Yes.", "Come in, please."]),
        ("es", ["¡Hola!", "¿En qué puedo ayudarle?", "Abrimos a las nueve."]),
        ("fr", ["Bonjour !", "Comment puis-je vous aider ?", "Nous ouvrons à neuf heures."]),
        ("fr", ["Il a dit « Bonjour. »", "Elle aussi."]),
        ("hi", ["नमस्ते!", "मैं आपकी क्या मदद कर सकता हूँ?", "क्लिनिक नौ बजे खुलता है।", "धन्यवाद।"]),
        ("tl", ["Kumusta!", "Paano kita matutulungan?", "Bukas po kami ng alas nuwebe."]),
        ("en", ["Wait...", "Really?!", "Yes."]),
        ("en", ["Wait…", "It works."]),
        ("en", ['"It works."', "(So they say.)", "**Good.**", "Next."]),
    ],
)
def test_sentences_of_each_language(language: str, pieces: list[str]) -> None:
    assert stripped(" ".join(pieces), language) == pieces


def cases(language: str) -> list[list[str]]:
    """The pieces of each answer of a language's table."""
    lines = (CASES / f"{language}.txt").read_text(encoding="utf-8").splitlines()
    return [line.split("|") for line in lines if not line.startswith("# ")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_answers_are_cut_where_the_table_says(language: str) -> None:
    expected = [[piece.strip() for piece in pieces] for pieces in cases(language)]
    assert len(expected) >= 40
    texts = ["".join(pieces).replace("  ", " ") for pieces in cases(language)]
    assert [stripped(text, language) for text in texts] == expected


def test_the_clauses_of_a_sentence_that_is_not_whole_yet_are_one_piece() -> None:
    stream = SentenceStream("en")
    text = "We open at nine. On Monday, Tuesday, Friday at 9:30, and on"
    assert stream.push(text) == ["We open at nine."]
    assert stream.take_clauses() == [" On Monday, Tuesday, Friday at 9:30,"]
    assert stream.take_clauses() == []
    assert stream.push(" Sunday, too. Good") == [" and on Sunday, too."]
    assert stream.flush() == [" Good"]


def test_a_line_is_a_piece() -> None:
    assert stripped("First line\nSecond line\n\nThird", "en") == [
        "First line",
        "Second line",
        "Third",
    ]


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "Pi is 3.14 today."),
        ("en", "It costs 1,250.50 dollars."),
        ("en", "We met at 10:30 sharp."),
        ("en", "Dr. Smith met Mrs. Jones."),
        ("en", "J. R. R. Tolkien is from the U.S. Army."),
        ("en", "It opens at 9 a.m. every day."),
        ("en", "1. Open the door."),
        ("en", '"Really?" she said.'),
        ("en", "Well... maybe."),
        ("en", "See www.example.com/a?b=c now."),
        ("es", "El Sr. Pérez y la Dra. Gómez."),
        ("es", "Abre a las 9 a. m. y cierra tarde."),
        ("fr", "M. Dupont et Mme. Durand."),
        ("hi", "डॉ. शर्मा आज नहीं हैं।"),
        ("tl", "Si Gng. Santos at si Bb. Cruz."),
    ],
)
def test_one_sentence_stays_whole(language: str, sentence: str) -> None:
    assert stripped(f"Ok. {sentence} Ok.", language) == ["Ok.", sentence, "Ok."]


def test_an_opening_mark_begins_a_sentence_without_a_space() -> None:
    assert segment("Hola.¿Qué tal?¡Bien!", "es") == ["Hola.", "¿Qué tal?", "¡Bien!"]


def test_a_decimal_at_the_border_of_two_tokens_stays_whole() -> None:
    stream = SentenceStream("en")
    assert stream.push("No. It is 3.") == ["No."]
    assert stream.push("14") == []
    assert stream.push(" exactly. ") == []
    assert stream.push("Bye") == [" It is 3.14 exactly."]
    assert stream.flush() == [" Bye"]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        (
            "The capital of France is, of course, Paris.",
            ["The capital of France is,", "of course, Paris."],
        ),
        ("Of course, sir, I can do that.", ["Of course, sir, I can do that."]),
        ("Unquestionably indeed, yes.", ["Unquestionably indeed,", "yes."]),
        ("We are open then—come in.", ["We are open then—", "come in."]),
        ("The bill of today is 1,250 pesos.", ["The bill of today is 1,250 pesos."]),
        ("Yes. Then we go, all of us, home.", ["Yes.", "Then we go, all of us, home."]),
    ],
)
def test_only_the_first_clause_comes_early(text: str, pieces: list[str]) -> None:
    assert stripped(text, "en") == pieces


def test_a_piece_comes_as_soon_as_the_next_word_begins() -> None:
    stream = SentenceStream("en")
    assert stream.push("Hello!") == []
    assert stream.push(" H") == ["Hello!"]
    assert stream.push("ow are you?\n") == [" How are you?"]


def test_a_code_block_is_one_piece() -> None:
    text = "Look:\n```python\nprint(1). Or. Not.\n```\nDone. Bye."
    assert stripped(text, "en") == [
        "Look:",
        "```python\nprint(1). Or. Not.\n```",
        "Done.",
        "Bye.",
    ]


def test_marks_without_words_wait_for_words() -> None:
    assert segment("... ! Hello. :-)", "en") == ["... ! Hello.", " :-)"]


def test_a_flush_ends_the_answer_and_the_next_one_may_begin_early_again() -> None:
    stream = SentenceStream("en")
    assert stream.push("First. Second") == ["First."]
    assert stream.flush() == [" Second"]
    assert stream.push("One two three four, five") == ["One two three four,"]


def test_blanks_alone_give_nothing() -> None:
    assert segment(" \n \n", "en") == []


def test_a_language_without_data_still_splits() -> None:
    assert segment("Ja. Nein.", "de") == ["Ja.", " Nein."]


WORDS = ["Hello", "hola", "मैं", "Dr", "3", "14", "U", "p.m"]
MARKS = [*".?!…।॥,;:—¿¡«»\"'()*`", "```", "😀"]
BLANKS = [" ", "  ", "\n", "\t", "\u00a0"]
prose = st.lists(st.sampled_from(WORDS + MARKS + BLANKS) | st.text(max_size=3), max_size=40).map(
    "".join
)


@given(prose, st.sampled_from(LANGUAGES))
def test_the_pieces_joined_are_the_text(text: str, language: str) -> None:
    pieces = segment(text, language)
    assert "".join(pieces).rstrip() == text.rstrip()
    assert all(piece.strip() for piece in pieces)


@given(prose, st.sampled_from(LANGUAGES), st.lists(st.integers(0, 120), max_size=12))
def test_how_the_text_is_cut_into_tokens_changes_nothing(
    text: str, language: str, cuts: list[int]
) -> None:
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    tokens = [text[start:end] for start, end in pairwise(edges)]
    assert (
        segment(text, language, tokens)
        == segment(text, language)
        == segment(text, language, [text])
    )
