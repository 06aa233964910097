"""Text for the ear: what is read to the caller, and what is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.language.spoken import speakable


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        (
            "The **clinic** is *open* and __warm__, ~~not~~ `really`.",
            "The clinic is open and warm, not really.",
        ),
        ("**Good morning", "Good morning"),
        ("open at nine.**", "open at nine."),
        ("## Opening hours", "Opening hours"),
        ("- Monday\n- Tuesday", "Monday Tuesday"),
        ("1. Open the door.", "Open the door."),
        ("> He said so.", "He said so."),
        ("See [our page](https://example.com/a_b) now.", "See our page now."),
        ('![a cat](cat.png "Cat") sleeps', "a cat sleeps"),
        ("Like this:\n```python\nprint(1)\n```\nDone.", "Like this: Done."),
        ("```\nnever closed", ""),
        ("one\n---\ntwo", "one two"),
        ("Hello 👋🏽! Fine 👨‍👩‍👧, ❤️.", "Hello ! Fine,."),
        ("1️⃣ first", "1 first"),
        ("2 * 3 and 2*3 in snake_case", "2 * 3 and 2*3 in snake_case"),
        ("  many \t spaces\n\n here ", "many spaces here"),
        ("😀", ""),
        ("...", ""),
        ("", ""),
    ],
)
def test_what_is_for_the_eye_is_not_spoken(text: str, spoken: str) -> None:
    assert speakable(text, "en") == spoken


@pytest.mark.parametrize(
    ("language", "spoken"),
    [
        ("en", "Ana and Leo, 5 percent."),
        ("es", "Ana y Leo, 5 por ciento."),
        ("fr", "Ana et Leo, 5 pour cent."),
        ("hi", "Ana और Leo, 5 प्रतिशत."),
        ("tl", "Ana at Leo, 5 porsiyento."),
    ],
)
def test_signs_are_words_of_the_language(language: str, spoken: str) -> None:
    assert speakable("Ana & Leo, 5%.", language) == spoken


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("मैं आपकी क्या मदद कर सकता हूँ? क्लिनिक नौ बजे खुलता है।", "hi"),
        ("¿Qué tal? ¡Muy bien!", "es"),
        ("Aujourd'hui, c'est 10:30 ; d'accord ?", "fr"),
        ("क्\u200dष", "hi"),
        ("Bukas po, ika-9 nang umaga.", "tl"),
    ],
)
def test_plain_speech_is_left_as_it_is(text: str, language: str) -> None:
    assert speakable(text, language) == text


@given(st.text(max_size=60))
def test_any_text_gives_one_clean_line(text: str) -> None:
    spoken = speakable(text, "en")
    assert spoken == spoken.strip()
    assert "\n" not in spoken
    assert "`" not in spoken
