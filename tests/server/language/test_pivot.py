"""What must survive a translation."""

import pytest

from server.language.pivot import lost_in_translation

KEPT = [
    ("tl", "Ako po si Ana, sa Lunes nang alas nuwebe.", "en", "I am Ana, on Monday at nine."),
    ("en", "It is five hundred pesos, says Maria.", "tl", "Limang daang piso po, sabi ni Maria."),
    ("en", "Please ask Priya on Friday.", "hi", "कृपया शुक्रवार को प्रिया से पूछिए।"),
    ("hi", "मेरा नाम मोहन है।", "en", "My name is Mohan."),
    ("tl", "Ano po ang kabisera ng Hapon?", "en", "What is the capital of Japan?"),
    ("es", "Cuesta 12,50 € en enero.", "en", "It costs 12.50 euros in January."),
    ("fr", "Il a deux enfants.", "en", "He has two children."),
]
LOST = [
    ("tl", "Sa Lunes po nang alas nuwebe.", "en", "On Monday at ten.", ["number 9", "number 10"]),
    ("tl", "Sa Lunes po.", "en", "On Tuesday.", ["day 0"]),
    ("tl", "Dito po si Ana.", "en", "This is Anna here.", ["name Ana"]),
    ("hi", "मेरा नाम मोहन है।", "en", "My name is Ravi.", ["name Ravi"]),
    ("en", "Please ask Priya.", "hi", "कृपया मोहन से पूछिए।", ["name Priya"]),
    ("fr", "Il a 12 euros.", "en", "He has twelve dollars.", ["currency EUR"]),
    ("tl", "Taga-Pransya po ako.", "en", "I am from Spain.", ["country FR"]),
    ("en", "In May it rains.", "tl", "Umuulan po.", ["month 5"]),
    ("en", "Hello.", "tl", " ", ["everything"]),
]


@pytest.mark.parametrize(("source", "text", "target", "translation"), KEPT)
def test_a_faithful_translation_loses_nothing(
    source: str, text: str, target: str, translation: str
) -> None:
    assert lost_in_translation(text, source, translation, target) == ()


@pytest.mark.parametrize(("source", "text", "target", "translation", "losses"), LOST)
def test_what_is_lost_is_named(
    source: str, text: str, target: str, translation: str, losses: list[str]
) -> None:
    lost = lost_in_translation(text, source, translation, target)
    for loss in losses:
        assert any(loss in each for each in lost), lost


def test_the_beginning_of_a_sentence_is_no_name() -> None:
    assert lost_in_translation("Open the door.", "en", "Pakibuksan po ang pinto.", "tl") == ()
