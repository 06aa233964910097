"""Letters to sounds: the expected pronunciations were written by hand from the rules of Tagalog."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.tts import tagalog_words
from engines.tts.tagalog import english_words, is_english, pronounce, to_espeak, to_ipa
from engines.tts.tagalog_words import lexicon, plain

DATA = Path(__file__).parent / "data"
LEXICON = Path(tagalog_words.__file__).with_name("tagalog_stress.txt")


@pytest.mark.parametrize(
    ("word", "ipa"),
    [
        ("ng", "naŋ"),
        ("mga", "maŋˈa"),
        ("umaga", "umˈaɡa"),
        ("magandang", "maɡandˈaŋ"),
        ("ngayon", "ŋajˈon"),
        ("tsokolate", "tʃokolˈate"),
        ("dyip", "dʒˈip"),
        ("siyudad", "sijudˈad"),
        ("pag-asa", "paɡʔˈasa"),
        ("oo", "ˈoʔo"),
        ("saan", "saʔˈan"),
        ("bata", "bˈataʔ"),
        ("hindi", "hindˈiʔ"),
        ("bundok", "bundˈok"),
        ("Martes", "mˈaɾtes"),
        ("ano'ng", "ˈanoŋ"),
        ("cruz", "kɾˈus"),
        ("José", "hosˈe"),
        ("filipino", "pilipˈino"),
    ],
)
def test_pronunciation(word: str, ipa: str) -> None:
    assert pronounce(word) == ipa


def test_words_and_their_sounds() -> None:
    lines = (DATA / "tagalog_words.txt").read_text(encoding="utf-8").splitlines()
    expected = dict(line.split(" ") for line in lines if not line.startswith("#"))
    assert len(expected) >= 300
    assert {word: pronounce(word) for word in expected} == expected


@pytest.mark.parametrize(
    ("form", "ipa"),
    [
        ("sinusulatan", "sinusulˈatan"),  # súlat: the suffix moves the stress by one
        ("bibilhin", "bibilhˈin"),
        ("magtatanungan", "maɡtatanuŋˈan"),  # tanóng
        ("pinakamasayang", "pinakamasajˈaŋ"),
        ("basang", "bˈasaŋ"),
        ("binatang", "binˈataŋ"),  # binátà: the linker takes the place of the glottal stop
        ("salita't", "salitˈat"),
        ("nag-aaral", "naɡʔaʔˈaɾal"),
        ("kinakausap", "kinakaʔˈusap"),
        ("pinagsabihan", "pinaɡsabˈihan"),
    ],
)
def test_forms_follow_their_roots(form: str, ipa: str) -> None:
    assert pronounce(form) == ipa


def test_the_lexicon_has_each_word_once() -> None:
    lines = LEXICON.read_text(encoding="utf-8").splitlines()
    words = [word for line in lines if not line.startswith("#") for word in line.split()]
    assert len({plain(word) for word in words}) == len(words) >= 1500


def test_accents_in_the_text_go_before_the_lexicon() -> None:
    assert pronounce("bukas") == "bˈukas"
    assert pronounce("bukás") == "bukˈas"
    assert pronounce("basâ") == "basˈaʔ"
    assert pronounce("basà") == "bˈasaʔ"


def test_sentence_keeps_punctuation_at_its_word() -> None:
    assert to_ipa("Magandang umaga po! Kumusta?") == "maɡandˈaŋ umˈaɡa pˈoʔ! kumustˈa?"


def test_espeak_text_has_one_bracket_per_word_and_punctuation_outside() -> None:
    assert to_espeak("Salamat po, sige.") == "[[sal'amat]] [[p'o?]], [[s'ige]]."


@pytest.mark.parametrize(
    ("word", "sounds"),
    [
        ("schedule", "skˈedʒul"),
        ("appointment", "apˈojntmant"),
        ("coffee", "kˈofi"),
        ("birthday", "bˈeɾtdej"),
        ("meeting", "mˈitiŋ"),  # its letters could be Tagalog's
        ("Schedule", "skˈedʒul"),  # begins a sentence
        ("very", "bˈeɾi"),
    ],
)
def test_english_words_have_english_sounds(word: str, sounds: str) -> None:
    assert is_english(word)
    assert to_ipa(f"ang {word} po") == f"aŋ {sounds} pˈoʔ"
    assert to_espeak(word).startswith("[[")


@pytest.mark.parametrize("word", ["Xavier", "Niño", "brgy", "Fernandez"])
def test_foreign_names_stay_plain_text_for_espeak(word: str) -> None:
    assert not is_english(word)
    assert to_espeak(f"ang {word} po") == f"[[aN]] {word} [[p'o?]]"


@pytest.mark.parametrize("word", ["tanong", "mayroon", "linggo", "sige", "pakiabot", "kumain"])
def test_tagalog_words_are_no_english(word: str) -> None:
    assert not is_english(word)


def test_no_english_word_of_the_data_is_one_of_tagalog() -> None:
    assert not english_words() & set(lexicon())


def test_digits_are_said_one_by_one() -> None:
    assert to_ipa("09") == "sˈeɾo sijˈam"
    assert to_espeak("3") == "[[tatl'o]]"


@pytest.mark.parametrize("text", ["", "   ", "-", "'", "😀", "\x00", "नमस्ते"])
def test_text_without_tagalog_letters_has_no_mnemonics(text: str) -> None:
    assert "[[" not in to_espeak(text)


@given(st.text(max_size=80))
def test_any_text_is_accepted_and_brackets_come_only_from_us(text: str) -> None:
    spoken = to_espeak(text)
    assert spoken.count("[[") == spoken.count("]]")
    assert "ˈ" not in spoken
    assert "\x00" not in to_ipa(text)


@given(st.text(alphabet="abdeghiklmnoprstuwy", min_size=1, max_size=20))
def test_every_word_with_a_vowel_has_exactly_one_stress_or_is_in_the_data(word: str) -> None:
    ipa = pronounce(word)
    assert ipa.count("ˈ") <= 1
    if set(word) & set("aeiou") and len(word) > 4:
        assert ipa.count("ˈ") == 1
