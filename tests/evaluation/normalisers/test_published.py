"""Our figures beside those with Whisper's published normaliser: equal where that is right."""

from collections.abc import Callable

import jiwer
import pytest
from whisper_normalizer.basic import BasicTextNormalizer
from whisper_normalizer.english import EnglishTextNormalizer

from evaluation.metrics.errors import Errors, Unit, compare, total
from evaluation.normalisers import normalise
from evaluation.normalisers.published import whisper_normalise

# Said and heard; no digits, which ours writes in words.
RIGHT = {
    "en": [
        ("I won't come on Monday, Dr. Brown.", "I will not come Monday doctor Brown"),
        ("The colour is twenty-one.", "The color is 21"),
    ],
    "es": [
        ("¿Cuál es la capital del Perú?", "cual es la capital de Perú"),
        ("¡Buenos días, señor!", "Buenos días, señor."),
    ],
    "fr": [
        ("Est-ce que la clinique est ouverte aujourd'hui ?", "Est-ce que la Clinique est ouverte"),
        ("L'été, c'est dans un mois.", "l'été, ces dans un mois"),
    ],
}

# Errors that are all of vowel signs and nasals: other words in Hindi, the same without marks.
HINDI = [
    ("मैं घर में हूँ", "में घर मैं हूँ"),
    ("वह लड़की है", "वह लड़का है"),
    ("मेरा नाम राम है", "मेरे नाम राम हैं"),
    ("दो बजे मिलते हैं", "दो बजा मिलता है"),
    ("मुझे पानी चाहिए", "मुझे पाना चाहिए"),
    ("डॉक्टर कब आएँगे", "डॉक्टर कल जाएँगे"),
    ("क्लिनिक सोमवार को खुला है", "क्लिनिक मंगलवार को बंद है"),
]


def published(text: str, language: str) -> str:
    normalizer = EnglishTextNormalizer() if language == "en" else BasicTextNormalizer()
    return " ".join(str(normalizer(text)).split())


@pytest.mark.parametrize("language", RIGHT)
def test_text_and_figures_equal_where_the_published_one_is_right(language: str) -> None:
    said, heard = zip(*RIGHT[language], strict=True)
    for text in (*said, *heard):
        assert normalise(text, language) == published(text, language)
        assert whisper_normalise(text, language) == published(text, language)
    references = [published(text, language) for text in said]
    hypotheses = [published(text, language) for text in heard]
    words = errors(RIGHT[language], language, normalise)
    assert words.rate == pytest.approx(jiwer.wer(references, hypotheses))
    assert words.wrong > 0
    characters = errors(RIGHT[language], language, normalise, "characters")
    assert characters.rate == pytest.approx(jiwer.cer(references, hypotheses))


def errors(
    pairs: list[tuple[str, str]],
    language: str,
    normaliser: Callable[[str, str], str],
    unit: Unit = "words",
) -> Errors:
    said = [normaliser(text, language) for text, _ in pairs]
    heard = [normaliser(text, language) for _, text in pairs]
    return total(each.errors for each in compare(said, heard, unit))


def test_the_published_one_loses_most_of_hindis_errors() -> None:
    """मैं and में become one word: of these errors, ours counts all, Whisper's a part."""
    assert normalise("मैं में", "hi") == "मैं में"
    first, second = whisper_normalise("मैं", "hi"), whisper_normalise("में", "hi")
    assert first == second == "म"
    ours = errors(HINDI, "hi", normalise).rate
    assert ours == pytest.approx(13 / 26)
    vanished = 1 - errors(HINDI, "hi", whisper_normalise).rate / ours
    assert vanished > 1 / 3


def test_the_published_one_parts_tagalog_words() -> None:
    assert whisper_normalise("Nag-aaral ba't", "tl") == "nag aaral ba t"
    assert normalise("Nag-aaral ba't", "tl") == "nag-aaral ba't"
