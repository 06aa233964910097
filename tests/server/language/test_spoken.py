"""Text for the ear: what is for the eye alone, and how what is said maps back to what is written.

How each language says numbers, dates and the like stands in `spoken_cases/`.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.language.resources import regions
from server.language.spoken import Spoken, spoken

LANGUAGES = ("en", "es", "fr", "hi", "tl")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "The **clinic** is *open* and __warm__, ~~not~~ `really`.",
            "The clinic is open and warm, not really.",
        ),
        ("**Good morning", "Good morning"),
        ("open at nine.**", "open at nine."),
        ("## Opening hours", "Opening hours"),
        ("- Monday\n- Tuesday", "Monday Tuesday"),
        ("- [x] Monday", "Monday"),
        ("1. Open the door.", "Open the door."),
        ("> He said so.", "He said so."),
        ("See [our page](https://example.com/a_b) now.", "See our page now."),
        ('![a cat](cat.png "Cat") sleeps', "a cat sleeps"),
        ("See <https://example.com>.", "See example dot com."),
        ("one<br>two", "one two"),
        ("| Day | Hour |\n|---|---|\n| Monday | nine |", "Day, Hour Monday, nine"),
        ("Like this:\n```python\nprint(1)\n```\nDone.", "Like this: Done."),
        ("```\nnever closed", ""),
        ("one\n---\ntwo", "one two"),
        ("Hello 👋🏽! Fine 👨‍👩‍👧, ❤️.", "Hello ! Fine,."),
        ("Yes ✓ here → there ★", "Yes here there"),
        ("1️⃣ first", "one first"),
        ("2 * 3 and 2*3 in snake_case", "two times three and two times three in snake_case"),
        ("  many \t spaces\n\n here ", "many spaces here"),
        ("😀", ""),
        ("...", ""),
        ("", ""),
    ],
)
def test_what_is_for_the_eye_is_not_spoken(text: str, said: str) -> None:
    assert spoken(text, "en").text == said


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("मैं आपकी क्या मदद कर सकता हूँ? क्लिनिक नौ बजे खुलता है।", "hi"),
        ("¿Qué tal? ¡Muy bien!", "es"),
        ("Aujourd'hui, c'est bon ; d'accord ?", "fr"),
        ("क्\u200dष", "hi"),
        ("Bukas po, alas nuwebe ng umaga.", "tl"),
        ("It opens at nine, or so they say.", "en"),
    ],
)
def test_plain_speech_is_left_as_it_is(text: str, language: str) -> None:
    said = spoken(text, language)
    assert said.text == text
    assert [said.source_end(length) for length in range(len(text))] == [
        text.rfind(" ", 0, length + 1) + 1 for length in range(len(text))
    ]


def test_a_language_without_rules_keeps_what_its_voice_may_read() -> None:
    assert spoken("**Um 9:30** kostet es 5 €. 😀", "de").text == "Um 9:30 kostet es 5 €."


def test_a_region_says_what_it_says_in_another_way() -> None:
    assert "es_ES" in regions()
    assert spoken("$3.50", "es").text == "tres pesos con cincuenta centavos"
    assert spoken("$3,50", "es_ES").text == "tres dólares con cincuenta centavos"


def heard(said: Spoken, words: str) -> str:
    """What of the text is heard when the voice has said these words of it."""
    assert said.text.startswith(words)
    return said.source[: said.source_end(len(words))].rstrip()


def test_a_number_is_heard_when_all_of_its_words_are() -> None:
    said = spoken("**It costs** $1,250.50 now.", "en")
    assert said.text == "It costs one thousand two hundred fifty dollars and fifty cents now."
    assert heard(said, "It costs") == "**It costs**"
    assert heard(said, "It costs one thousand two hundred") == "**It costs**"
    assert heard(said, "It costs one thousand two hundred fifty dollars and fifty cents") == (
        "**It costs** $1,250.50"
    )
    assert heard(said, said.text) == said.source


def test_what_is_not_said_belongs_to_what_is_heard_before_it() -> None:
    said = spoken("Yes 😀 of course.", "en")
    assert heard(said, "Yes") == "Yes 😀"


@given(st.text(max_size=60), st.sampled_from(LANGUAGES))
def test_any_text_gives_one_clean_line_that_maps_back(text: str, language: str) -> None:
    said = spoken(text, language)
    assert said.text == said.text.strip()
    assert "\n" not in said.text
    assert "`" not in said.text
    assert len(said.spans) == len(said.text)
    assert all(start < end <= len(text) for start, end in said.spans)
    assert list(said.spans) == sorted(said.spans)
    assert said.source_end(len(said.text)) == len(text)


PARTS = (
    *("1", "9", "25", "2026", "007", "1.5", "1,250", "12:30", "21/11/2026", "१२", "½"),
    *("$", "€", "₱", "₹", "MXN", "million", "%", "°C", "km", "am", "p.m.", "st", "h"),
    *("-", "–", "/", ".", ",", "+", "@", "#", "(", ")", ":", "a", "Nov.", "Dr.", "www.x.com"),
)
written = st.lists(st.sampled_from([*PARTS, " ", " "]), max_size=14).map("".join)


@given(written, st.sampled_from((*LANGUAGES, "es_ES")))
def test_no_digit_is_left_whatever_is_written(text: str, locale: str) -> None:
    said = spoken(text, locale)
    assert not any(character.isdecimal() for character in said.text), said.text
    assert list(said.spans) == sorted(said.spans)
