"""The identifier of languages: its data, its training, and how good its tables are."""

import pytest

from scripts.train_starter.domain import LANGUAGES
from scripts.train_starter.identification import (
    Sample,
    accuracy,
    held_out_samples,
    latin_languages,
    train,
    training_samples,
    unseen_samples,
)
from server.language.resources import identification_weights

HELD_OUT_ACCURACY = 0.9
UNSEEN_ACCURACY = 0.95


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_never_trained_on_are_identified(language: str) -> None:
    for samples, bar in (
        (held_out_samples(), HELD_OUT_ACCURACY),
        (unseen_samples(), UNSEEN_ACCURACY),
    ):
        own = [sample for sample in samples if sample.language == language]
        assert len(own) >= 15
        assert accuracy(own) >= bar


def test_training_finds_what_is_of_a_language() -> None:
    samples = [Sample("the thing", "en"), Sample("ang bagay", "tl")] * 5
    weights = train(samples, "tl")
    assert weights["ang"] > 0 > weights["the"]


def test_no_held_out_sentence_is_trained_on() -> None:
    trained = {sample.text for sample in training_samples()}
    held = [sample for sample in held_out_samples() if sample.language in latin_languages()]
    assert len([sample for sample in held if sample.text in trained]) < 0.1 * len(held)


@pytest.mark.parametrize("language", LANGUAGES)
def test_tables_are_small_and_of_languages_in_latin_script(language: str) -> None:
    size = len(identification_weights(language))
    assert 500 < size < 5000 if language in latin_languages() else size == 0
