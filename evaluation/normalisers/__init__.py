"""Text as it is compared: what two ways of writing the same words have in common.

Every language is a row of rules, applied in order; each rule is a function with a test of its own.
`VERSION` stands in every report and is raised whenever any output changes, since word error rates
of different versions cannot be compared. Whisper's published normaliser is right for English and
taken as it is; for the others it is not (`published.py`).
"""

from collections.abc import Mapping

from evaluation.normalisers import hindi, rules, tagalog
from evaluation.normalisers.published import whisper_english
from evaluation.normalisers.rules import Rule

VERSION = "1"

_FIRST: tuple[Rule, ...] = (
    rules.compatible_characters,
    rules.without_invisible_characters,
    rules.lower_case,
    rules.without_annotations,
)

RULES: Mapping[str, tuple[Rule, ...]] = {
    "en": (whisper_english,),
    "es": (
        *_FIRST,
        rules.without_thousands_points,
        rules.numbers_in_words("es"),
        rules.punctuation_to_spaces,
    ),
    "fr": (
        *_FIRST,
        rules.without_thousands_points,
        rules.numbers_in_words("fr"),
        rules.ligatures_apart,
        rules.punctuation_to_spaces,
    ),
    "hi": (
        *_FIRST,
        hindi.ascii_digits,
        rules.without_thousands_commas,
        rules.numbers_in_words("hi"),
        hindi.anusvara_before_stops,
        hindi.anusvara_above_vowel_signs,
        hindi.without_dots_of_loans,
        rules.punctuation_to_spaces,
    ),
    "tl": (
        *_FIRST,
        rules.without_thousands_commas,
        rules.numbers_in_words("fil"),
        tagalog.plain_apostrophes_and_hyphens,
        tagalog.without_stress_marks,
        tagalog.punctuation_outside_words_to_spaces,
    ),
}


def normalise(text: str, language: str) -> str:
    """`text` as it is compared in one of the five languages: words with one space between them.

    Raises `KeyError` for another language.
    """
    for rule in RULES[language]:
        text = rule(text)
    return " ".join(text.split())
