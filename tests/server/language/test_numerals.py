"""Numbers out of texts."""

from decimal import Decimal

import pytest

from server.language.numerals import folded, numbers_in

CASES = [
    ("en", "nine thirty", [9, 30]),
    ("en", "three thousand two hundred and five pesos", [3205]),
    ("en", "2.5 and 12,50,000 and 1,200 and 3 million", ["2.5", 1250000, 1200, 3000000]),
    ("en", "I have one dog and two dozen eggs at 4:30", [2, 12, 4, 30]),
    ("en", "a twenty-one gun salute", [21]),
    ("es", "ciento veinticinco mil pesos a las nueve y media", [125000, 9]),
    ("es", "dieciséis o 1.250 euros", [16, 1250]),
    ("fr", "quatre-vingt-dix-neuf euros, septante à Genève", [99, 70]),
    ("hi", "पाँच सौ रुपये, ७५ और दो हज़ार तीन सौ", [500, 75, 2300]),
    ("hi", "mere paas paanch hazaar hain", [5000]),
    ("tl", "alas nuwebe, dalawampu't lima, limang daang piso", [9, 25, 500]),
    ("tl", "isang libo at dalawang daan", [1200]),
    ("tl", "isang bahay", []),
]


@pytest.mark.parametrize(("language", "text", "numbers"), CASES)
def test_numbers_are_read(language: str, text: str, numbers: list[int | str]) -> None:
    assert numbers_in(text, language) == [Decimal(number) for number in numbers]


def test_folding_keeps_the_vowel_signs_of_hindi() -> None:
    assert folded("Él dijo: हिन्दी") == "el dijo: हिन्दी"
