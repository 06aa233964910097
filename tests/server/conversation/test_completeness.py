"""Whether what was said reads as a complete turn."""

import pytest

from server.conversation.completeness import completeness, doubted, final_mark

COMPLETE = {
    "en": [
        "What is the capital of France?",
        "What is the capital of France",
        "I would like to see the dentist on Monday at nine, please.",
        "I live in Berlin.",
        "My name is Sarah.",
        "Yes.",
        "At nine, please.",
        "How are you?",
        "Thank you very much.",
    ],
    "es": [
        "¿Cuál es la capital de Francia?",
        "Cuál es la capital de Francia",
        "Quisiera una cita para el lunes a las nueve.",
        "Vivo en Madrid.",
        "Me llamo Ana.",
        "Sí.",
        "¿Cómo está?",
    ],
    "fr": [
        "Quelle est la capitale de la France ?",
        "Quelle est la capitale de la France",
        "Je voudrais un rendez-vous le lundi à neuf heures.",
        "J'habite à Paris.",
        "Je m'appelle Ana.",
        "Oui.",
        "Comment allez-vous ?",
    ],
    "hi": [
        "फ्रांस की राजधानी क्या है?",
        "फ्रांस की राजधानी क्या है",
        "मुझे सोमवार को नौ बजे अपॉइंटमेंट चाहिए।",
        "मैं दिल्ली में रहता हूँ।",
        "मेरा नाम राज है।",
        "हाँ।",
        "आप कैसे हैं?",
    ],
    "tl": [
        "Ano po ang kabisera ng France?",
        "Ano po ang kabisera ng France",
        "Gusto ko po ng appointment sa Lunes nang alas nuwebe.",
        "Nakatira ako sa Maynila.",
        "Ako po si Ana.",
        "Opo.",
        "Kumusta po?",
    ],
}
INCOMPLETE = {
    "en": [
        "What is the capital of",
        "What is the capital of.",
        "And then I",
        "I was thinking, um...",
        "I would like to",
        "Tell me the",
        "I live in Berlin and",
        "Well, I wanted to ask,",
    ],
    "es": [
        "Cuál es la capital de",
        "¿Cuál es la capital de?",
        "Y luego",
        "Quisiera, eh...",
        "Me llamo",
        "Vivo en Madrid y",
        "Lo que pasa es que",
    ],
    "fr": [
        "Quelle est la capitale",
        "Quelle est la capitale de ?",
        "Et puis je",
        "Je voudrais, euh...",
        "Je m'appelle",
        "J'habite à Paris et",
        "C'est parce que",
    ],
    "hi": [
        "फ्रांस की राजधानी",
        "फ्रांस की।",
        "और फिर",
        "मुझे, मतलब...",
        "मेरा नाम",
        "मैं दिल्ली में रहता हूँ और",
        "मुझे लगता है कि",
    ],
    "tl": [
        "Ano po ang kabisera ng",
        "Ano po ang kabisera ng?",
        "At saka",
        "Gusto ko po, ano...",
        "Ako po si",
        "Nakatira ako sa Maynila at",
        "Hindi ako pupunta dahil",
    ],
}
DICTATED = {
    "en": ["My number is five five five.", "My number is 555", "five five one", "555-12"],
    "es": ["Mi número es cinco cinco cinco.", "Mi teléfono es el 555", "uno dos tres"],
    "fr": ["Mon numéro est le 06 12", "Zéro six douze trente."],
    "hi": ["मेरा नंबर है नौ आठ", "नौ आठ सात", "मेरा नंबर 98"],
    "tl": ["Ang numero ko po ay zero nine one", "Ang numero ko po ay 0917"],
}

DICTATED_TO_THE_END = {
    "en": [
        "My number is five five five one two three four.",
        "5551234",
        "My phone number is 555 123 4567.",
    ],
    "es": [
        "Mi número es cinco cinco cinco uno dos tres cuatro.",
        "Mi teléfono es el 555 123 4567.",
    ],
    "fr": [
        "Mon numéro est le 06 12 34 56 78.",
        "zéro six douze trente quarante cinquante soixante",
    ],
    "hi": ["मेरा नंबर है नौ आठ सात छह पाँच चार तीन दो", "मेरा नंबर 9876543210"],
    "tl": [
        "Ang numero ko po ay zero nine one seven five five five",
        "Ang numero ko po ay 0917 555 1234.",
    ],
}
WITH_A_FILLER = {
    "en": ["I was thinking, um", "Well, uh"],
    "es": ["Quisiera, este", "Pues..."],
    "fr": ["Je voudrais, euh", "Alors"],
    "hi": ["मुझे मतलब", "मेरा नाम, अं"],
    "tl": ["Gusto ko po, kuwan", "Sa Lunes, um"],
}


def cases(texts: dict[str, list[str]]) -> list[tuple[str, str]]:
    """Pairs of language and text."""
    return [(language, text) for language, group in texts.items() for text in group]


@pytest.mark.parametrize(("language", "text"), cases(COMPLETE))
def test_a_complete_turn_reads_as_one(language: str, text: str) -> None:
    probability = completeness(text, language)
    assert probability is not None
    assert probability > 0.6


@pytest.mark.parametrize(("language", "text"), cases(INCOMPLETE))
def test_an_incomplete_turn_does_not(language: str, text: str) -> None:
    probability = completeness(text, language)
    assert probability is not None
    assert probability < 0.3


@pytest.mark.parametrize(("language", "text"), cases(DICTATED))
def test_a_number_in_the_midst_of_being_dictated_is_waited_for(language: str, text: str) -> None:
    assert completeness(text, language) == 0.05


@pytest.mark.parametrize(("language", "text"), cases(DICTATED_TO_THE_END))
def test_a_number_of_full_length_may_be_over(language: str, text: str) -> None:
    assert completeness(text, language) == 0.5


@pytest.mark.parametrize(("language", "text"), cases(WITH_A_FILLER))
def test_a_filler_at_the_end_is_waited_behind(language: str, text: str) -> None:
    assert completeness(text, language) == 0.05


def test_an_hour_or_a_year_is_no_dictation() -> None:
    for text in ("On Monday at nine.", "I was born in 1985.", "Nine."):
        assert (completeness(text, "en") or 0.0) > 0.6


def test_nothing_is_said_of_no_words_and_of_an_unknown_language() -> None:
    assert completeness("", "en") is None
    assert completeness("...", "en") is None
    assert completeness("Guten Tag", "de") is None


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("Yes.", "."),
        ("जी हाँ।", "."),
        ("Vraiment ?", "?"),
        ("¡Hola!", "!"),
        ("Well,", ","),
        ("And then...", ","),
        ("And then…", ","),
        ('He said "no."', "."),
        ("And then", "none"),
    ],
)
def test_the_final_mark(text: str, mark: str) -> None:
    assert final_mark(text) == mark


def test_what_was_heard_without_confidence_may_not_be_the_end() -> None:
    assert doubted(0.9, 0.99) == 0.9
    assert doubted(0.9, 0.875) == pytest.approx(0.45)
    assert doubted(0.9, 0.6) == 0.0
    assert doubted(None, 0.99) is None
