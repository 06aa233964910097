"""Countries and languages have to survive a translation."""

from itertools import permutations

import pytest

from scripts.train_starter.domain.sentences import slot_table
from server.config import LANGUAGES
from server.language.places import lost_places

CODES = {
    "country": {
        "france": "FR", "spain": "ES", "india": "IN", "philippines": "PH", "japan": "JP",
        "china": "CN", "germany": "DE", "italy": "IT", "mexico": "MX", "canada": "CA",
        "egypt": "EG", "peru": "PE",
    },
    "language": {code: code for code in LANGUAGES},
}  # fmt: skip
FRAMES = {
    "en": "About {}.",
    "es": "Sobre {}.",
    "fr": "Sur {}.",
    "hi": "यह {} है।",
    "tl": "Tungkol sa {}.",
}

KEPT = [
    ("en", "She drives a German car.", "es", "Maneja un coche alemán."),
    ("en", "German cars are fast.", "fr", "Les voitures allemandes sont rapides."),
    ("es", "Vivo en Estados Unidos.", "en", "I live in the USA."),
    ("es", "Vivo en Estados Unidos.", "hi", "मैं अमेरिका में रहता हूँ।"),
    ("fr", "Je viens des Pays-Bas.", "en", "I come from the Netherlands."),
    ("en", "I am from the Philippines.", "tl", "Taga-Pilipinas po ako."),
    ("hi", "मुझे चीनी चाहिए।", "en", "I want sugar."),
    ("hi", "चेक जमा कर दीजिए।", "en", "Please deposit the cheque."),
    ("tl", "Hindi po ako pupunta.", "en", "I am not going."),
    ("en", "My name is Jordan.", "es", "Me llamo Jordan."),
    ("en", "The china is broken.", "fr", "La porcelaine est cassée."),
    ("en", "I speak Hindi.", "hi", "मैं हिंदी बोलता हूँ।"),
    ("en", "I speak Hindi.", "hi", "मैं हिन्दी बोलता हूँ।"),
    ("en", "He lives in France.", "hi", "वह फ्रांस में रहता है।"),
]
LOST = [
    ("tl", "Nasaan po ang Pransya?", "en", "Where is Spain?", ["country FR"]),
    ("en", "Fly to South Korea.", "hi", "जापान जाइए।", ["country KR"]),
    ("fr", "Je parle français et anglais.", "en", "I speak French.", ["language en"]),
    ("es", "¿Habla usted inglés?", "tl", "Marunong po ba kayo ng Pranses?", ["language en"]),
    ("hi", "क्या आप फ़्रेंच बोलते हैं?", "en", "Do you speak Spanish?", ["language fr"]),
    ("en", "I moved from India to Mexico.", "es", "Me mudé de la India.", ["country MX"]),
]  # fmt: skip


@pytest.mark.parametrize(("source", "text", "target", "translation"), KEPT)
def test_a_place_that_is_named_in_both_is_kept(
    source: str, text: str, target: str, translation: str
) -> None:
    assert list(lost_places(text, source, translation, target)) == []


@pytest.mark.parametrize(("source", "text", "target", "translation", "lost"), LOST)
def test_a_place_that_is_not_is_lost(
    source: str, text: str, target: str, translation: str, lost: list[str]
) -> None:
    assert list(lost_places(text, source, translation, target)) == lost


@pytest.mark.parametrize(("source", "target"), [*permutations(LANGUAGES, 2)])
@pytest.mark.parametrize("slot", CODES)
def test_every_country_and_language_of_the_domain_is_known_in_every_pair(
    slot: str, source: str, target: str
) -> None:
    texts = {language: slot_table(language, slot) for language in (source, target)}
    for value, code in CODES[slot].items():
        text, same = (FRAMES[each].format(texts[each][value]) for each in (source, target))
        assert list(lost_places(text, source, same, target)) == []
        is_checked = (source, value) != ("tl", "hi")  # "Hindi" is "no"
        lost = list(lost_places(text, source, FRAMES[target].format("x"), target))
        assert lost == ([f"{slot} {code}"] if is_checked else [])
