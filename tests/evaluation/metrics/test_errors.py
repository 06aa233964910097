"""Counts of errors against jiwer's own figures, and what only we count."""

import random

import jiwer
import pytest

from evaluation.metrics.errors import Errors, compare, total

WORDS = ["ang", "araw", "nag-aaral", "मैं", "में", "हिंदी", "día", "l", "été"]


def garbled(words: list[str], rng: random.Random) -> list[str]:
    heard = [rng.choice(WORDS) if rng.random() < 0.2 else word for word in words]
    heard = [word for word in heard if rng.random() > 0.15]
    return heard + rng.choices(WORDS, k=rng.randrange(3))


def corpus(seed: int) -> tuple[list[str], list[str]]:
    rng = random.Random(seed)
    said = [rng.choices(WORDS, k=rng.randint(1, 12)) for _ in range(40)]
    return [" ".join(s) for s in said], [" ".join(garbled(s, rng)) for s in said]


@pytest.mark.parametrize("seed", range(5))
def test_the_sums_are_jiwers(seed: int) -> None:
    said, heard = corpus(seed)
    words = total(each.errors for each in compare(said, heard))
    assert words.rate == pytest.approx(jiwer.wer(said, heard))
    whole = jiwer.process_words(said, heard)
    assert (words.hits, words.substitutions) == (whole.hits, whole.substitutions)
    assert (words.deletions, words.insertions) == (whole.deletions, whole.insertions)
    characters = total(each.errors for each in compare(said, heard, "characters"))
    assert characters.rate == pytest.approx(jiwer.cer(said, heard))


def test_confusions_and_what_was_left_out_or_added() -> None:
    (one,) = compare(["el lunes a las dos"], ["el jueves a las las dos"])
    assert one.errors == Errors(hits=4, substitutions=1, insertions=1)
    assert one.confusions == {("lunes", "jueves"): 1, ("", "las"): 1}


def test_nothing_heard_and_nothing_said() -> None:
    heard_nothing, said_nothing, neither = compare(["uno dos", "", ""], ["", "gracias", ""])
    assert heard_nothing.errors == Errors(deletions=2)
    assert said_nothing.errors == Errors(insertions=1)
    assert (said_nothing.errors.rate, neither.errors.rate) == (1.0, 0.0)


def test_hindi_in_latin_letters_is_a_class_of_its_own() -> None:
    (one,) = compare(["मेरा नाम doctor राम"], ["mera नाम डॉक्टर राम"])
    assert one.errors.substitutions == 2
    assert one.errors.wrong_script == 1
