"""The rough check of a text's language."""

import re
import tomllib

import pytest

from evaluation.demo import scripts
from evaluation.language_check import guess_languages
from evaluation.server_process import REPOSITORY
from scripts.train_starter.domain import LANGUAGES


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Nice to meet you, Maria! How can I help you?"),
        ("en", "The capital of Japan is Tokyo."),
        ("en", "Your name is Maria."),
        ("es", "Mucho gusto, Carlos. ¿En qué puedo ayudarle?"),
        ("es", "El lunes la clínica abre a las nueve."),
        ("es", "Usted se llama Carlos."),
        ("fr", "Enchanté, Sofia. Comment puis-je vous aider ?"),
        ("fr", "La capitale de l'Italie est Rome."),
        ("fr", "Vous vous appelez Sofia."),
        ("hi", "आपसे मिलकर खुशी हुई, प्रिया।"),
        ("hi", "भारत की राजधानी नई दिल्ली है।"),
        ("tl", "Ikinagagalak ko po kayong makilala, Ana."),
        ("tl", "Nagbubukas po ang klinika nang alas nuwebe."),
        ("tl", "Kayo po si Ana."),
    ],
)
def test_an_answer_is_known_by_its_words_or_its_script(language: str, text: str) -> None:
    assert guess_languages(text) == {language}


def test_what_the_demos_caller_says_is_in_the_language_it_should_be() -> None:
    for language, script in scripts().items():
        for said in script.says:
            assert language in guess_languages(said), said


@pytest.mark.parametrize("text", ["", "Maria.", "9:30", "?!"])
def test_what_speaks_for_no_language_is_left_open(text: str) -> None:
    assert guess_languages(text) == frozenset()


@pytest.mark.parametrize("language", LANGUAGES)
def test_nearly_every_answer_of_the_starter_model_is_known_alone(language: str) -> None:
    file = REPOSITORY / "scripts" / "train_starter" / "domain" / f"{language}.toml"
    templates = tomllib.loads(file.read_text(encoding="utf-8"))["answers"].values()
    answers = [re.sub(r"\{\w+\}", "", template) for template in templates]
    wrong = [answer for answer in answers if guess_languages(answer) != {language}]
    assert len(wrong) <= 0.05 * len(answers), wrong
