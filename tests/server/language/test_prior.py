"""What is known of a caller's language before they speak."""

import pytest

from server.config import LANGUAGES
from server.language.belief import Evidence, LanguageBelief
from server.language.prior import prior_of_browser, prior_of_choice, prior_of_number


@pytest.mark.parametrize(
    ("number", "languages"),
    [
        ("+63 917 123 4567", ["tl", "en"]),
        ("+34912345678", ["es"]),
        ("+919812345678", ["hi", "en"]),
        ("+12125550123", ["en", "es"]),
        ("+2215550123", ["fr"]),  # not +22 and not +2
        ("+4930123456", []),
        ("0917 123 4567", []),
        ("anonymous", []),
        ("", []),
    ],
)
def test_a_number_tells_by_its_country(number: str, languages: list[str]) -> None:
    assert list(prior_of_number(number, LANGUAGES)) == languages


@pytest.mark.parametrize(
    ("header", "languages"),
    [
        ("fil-PH,fil;q=0.9,en-US;q=0.8,en;q=0.7", ["tl", "en"]),
        ("es-419", ["es"]),
        ("de,fr;q=0.3,hi;q=0.5", ["hi", "fr"]),
        ("en;q=0, fr", ["fr"]),
        ("*", []),
        ("", []),
        (";;q=x,,--", []),
    ],
)
def test_a_browser_tells_by_its_header(header: str, languages: list[str]) -> None:
    assert list(prior_of_browser(header, LANGUAGES)) == languages


def test_languages_that_are_not_deployed_are_passed_over() -> None:
    assert list(prior_of_number("+639171234567", ("en", "es"))) == ["en"]
    assert prior_of_choice("tl", ("en",)) == {}


def test_a_prior_is_where_the_belief_begins_and_words_outweigh_it() -> None:
    odds = prior_of_number("+639171234567", LANGUAGES)
    belief = LanguageBelief.begin(LANGUAGES, "es", prior=odds)
    assert belief.language == "tl"
    assert belief.probabilities["en"] > belief.probabilities["es"]
    heard = Evidence("Quelle est la capitale de l'Italie ?", {"fr": 0.9, "tl": 0.02}, 2.0, 0.95)
    assert belief.update(heard).language == "fr"


def test_without_one_the_default_language_is_likelier() -> None:
    assert LanguageBelief.begin(LANGUAGES, "es", prior={}).language == "es"
