"""Callers who ask for a language, and callers who only speak of one."""

import pytest

from scripts.train_starter.domain import sentences
from server.language.requests import requested_language

LANGUAGES = ("en", "es", "fr", "hi", "tl")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Can we speak Spanish?", "es"),
        ("Hi, could we speak in French, please? My English is bad.", "fr"),
        ("Let's switch to Tagalog.", "tl"),
        ("Hindi, please.", "hi"),
        ("In English, please!", "en"),
        ("Hablemos en inglés.", "en"),
        ("Perdone, ¿podemos hablar en francés?", "fr"),
        ("Prefiero hablar en español.", "es"),
        ("En tagalo, por favor.", "tl"),
        ("Parlons français.", "fr"),
        ("Est-ce qu'on peut parler anglais ?", "en"),
        ("Pouvons-nous parler hindi ?", "hi"),
        ("En espagnol, s'il vous plaît.", "es"),
        ("हिंदी में बात करें", "hi"),
        ("क्या हम अंग्रेज़ी में बात कर सकते हैं?", "en"),
        ("कृपया हिन्दी में बोलिए।", "hi"),
        ("Hindi mein baat karo.", "hi"),
        ("Tagalog na lang po.", "tl"),
        ("Puwede po bang mag-Ingles?", "en"),
        ("Ingles na lang po, pasensya na.", "en"),
    ],
)
def test_a_request_is_understood(text: str, language: str) -> None:
    assert requested_language(text, LANGUAGES) == language


@pytest.mark.parametrize(
    "text",
    [
        "How do you say water in French, please?",
        "I can't speak Spanish.",
        "My wife speaks Tagalog.",
        "Spanish.",
        "¿Cómo se dice agua en francés, por favor?",
        "Comment dit-on eau en anglais, s'il vous plaît ?",
        "पानी को फ़्रेंच में क्या कहते हैं?",
        "Paano sabihin ang tubig sa Pranses?",
        "Hindi po.",
        "Hindi na lang po.",
        "Puwede bang hindi?",
        "",
    ],
)
def test_to_speak_of_a_language_is_no_request(text: str) -> None:
    assert requested_language(text, LANGUAGES) is None


def test_only_deployed_languages_can_be_had() -> None:
    assert requested_language("Can we speak Spanish?", ("en", "fr")) is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_of_the_domain_only_the_request_is_one(language: str) -> None:
    asked = {
        pattern
        for pattern, group in sentences(language, "train").items()
        if any(requested_language(sentence.text, LANGUAGES) for sentence in group)
    }
    assert asked <= {"speak_language"}
