"""Every rule of every language, one by one, and in its place among the others."""

import pytest

from evaluation.normalisers import RULES, hindi, normalise, rules, tagalog
from evaluation.normalisers.rules import Rule

CASES: list[tuple[Rule, str, str]] = [
    (rules.compatible_characters, "cafe\u0301 ﬁn ５", "café fin 5"),
    (rules.without_invisible_characters, "\ufeffक\u200dष a\u00adb", "कष ab"),
    (rules.lower_case, "ÉTÉ Ñ", "été ñ"),
    (rules.without_annotations, "a [laughs] b <noise> (c)", "a   b   (c)"),
    (
        rules.without_thousands_points,
        "1.250 y 1 250 000, 3.5 y 1.2345",
        "1250 y 1250000, 3.5 y 1.2345",
    ),
    (rules.without_thousands_commas, "1,250 at 1,00,000, 3,5", "1250 at 100000, 3,5"),
    (rules.numbers_in_words("es"), "21 años", "veintiuno años"),
    (rules.numbers_in_words("fr"), "80", "quatre-vingts"),
    (rules.numbers_in_words("hi"), "250", "दो सौ पचास"),
    (rules.numbers_in_words("fil"), "3 x2", "tatló x2"),
    (rules.numbers_in_words("es"), "tel. 0212", "tel. cero dos uno dos"),
    (rules.ligatures_apart, "sœur", "soeur"),
    (rules.punctuation_to_spaces, "¿qué? हाँ।", " qué  हाँ "),
    (hindi.ascii_digits, "१० बजे", "10 बजे"),
    (hindi.anusvara_before_stops, "हिन्दी मुम्बई पञ्च जन्म अन्य", "हिंदी मुंबई पंच जन्म अन्य"),
    (hindi.anusvara_above_vowel_signs, "नहीँ हाँ", "नहीं हाँ"),
    (hindi.without_dots_of_loans, "ज\u093cरूर लड\u093cका", "जरूर लड\u093cका"),
    (tagalog.plain_apostrophes_and_hyphens, "ba’t nag‑aaral", "ba't nag-aaral"),
    (tagalog.without_stress_marks, "walâ Niño", "wala Niño"),
    (
        tagalog.punctuation_outside_words_to_spaces,
        "nag-aaral, ba't 'yun - 24-oras!",
        "nag-aaral  ba't  yun   24 oras ",
    ),
]


@pytest.mark.parametrize(
    ("rule", "text", "expected"), CASES, ids=lambda case: getattr(case, "__name__", "")
)
def test_the_rule(rule: Rule, text: str, expected: str) -> None:
    assert rule(text) == expected


def test_every_rule_is_tested() -> None:
    used = {rule.__name__ for language in ("es", "fr", "hi", "tl") for rule in RULES[language]}
    assert used == {rule.__name__ for rule, _, _ in CASES}


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "Mr. Brown won't pay $20 for colours.", "mister brown will not pay $20 for colors"),
        ("es", "¡Cuesta 1.250 pesos, señor!", "cuesta mil doscientos cincuenta pesos señor"),
        ("fr", "L'été, 80 sœurs", "l été quatre vingts soeurs"),
        ("hi", "मैं में हूँ। कीमत ₹१,०० है", "मैं में हूँ कीमत एक सौ है"),
        ("tl", "Nag-aaral ka, ba’t 3?", "nag-aaral ka ba't tatlo"),
    ],
)
def test_a_language(language: str, text: str, expected: str) -> None:
    assert normalise(text, language) == expected
    assert normalise(expected, language) == expected
