"""Which language a text is in: by its script, its function words, its n-grams."""

import pytest

from scripts.train_starter.domain import LANGUAGES, sentences
from server.language.identification import identify, matrix_of, ngrams


def test_the_script_tells_hindi() -> None:
    assert identify("फ्रांस की राजधानी", LANGUAGES)["hi"] == 1.0
    assert identify("Mera नाम Raj", ("en", "es"))["en"] > 0  # hi is not deployed


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Where is the nearest pharmacy?", "en"),
        ("¿Dónde está la farmacia más cercana?", "es"),
        ("Où est la pharmacie la plus proche ?", "fr"),
        ("Nasaan po ang pinakamalapit na botika?", "tl"),
    ],
)
def test_n_grams_tell_the_others(text: str, language: str) -> None:
    found = identify(text, LANGUAGES)
    assert found[language] > 0.8
    assert sum(found.values()) == pytest.approx(1)


@pytest.mark.parametrize("text", ["", "...", "123"])
def test_nothing_tells_nothing(text: str) -> None:
    assert max(identify(text, LANGUAGES).values()) < 0.8


def test_a_language_without_a_table_is_not_found_by_n_grams() -> None:
    assert identify("Where is it?", ("hi", "en"))["en"] == 1.0
    assert identify("Guten Tag", ("de",)) == {"de": 1.0}


@pytest.mark.parametrize("language", ["en", "es", "fr", "hi"])
def test_sentences_of_one_language_have_no_matrix(language: str) -> None:
    texts = [s.text for group in sentences(language, "train").values() for s in group[:20]]
    assert not [text for text in texts if matrix_of(text, LANGUAGES)]


def test_function_words_are_the_matrix() -> None:
    matrix = matrix_of("Gusto ko ng appointment for Monday", LANGUAGES)
    assert matrix is not None
    assert (matrix.language, matrix.function_words) == ("tl", 2)
    assert matrix_of("Salamat, see you on Monday", LANGUAGES) is None


def test_n_grams_know_where_words_begin_and_end() -> None:
    assert ngrams("No!") == ["_n", "_no", "_no_", "n", "no", "no_", "o", "o_"]
