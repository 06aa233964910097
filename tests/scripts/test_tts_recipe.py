"""What the starter voice is trained on. The parts that need torch run when it is trained."""

import numpy as np
import pytest
from piper.phoneme_ids import DEFAULT_PHONEME_ID_MAP

from engines.tts.espeak import VOICES, Espeak, prepare
from scripts.train_starter.domain import LANGUAGES
from scripts.train_starter.tts.alignment import align
from scripts.train_starter.tts.corpus import held_out_texts, training_texts
from scripts.train_starter.tts.symbols import phoneme_symbols

HOP_SAMPLES = 256


def test_texts_are_many_distinct_and_the_same_every_time() -> None:
    texts = training_texts(60, seed=1)
    assert texts == training_texts(60, seed=1)
    assert len(set(texts)) == len(texts) == 60 * len(LANGUAGES)
    assert {text.language for text in texts} == set(LANGUAGES)


def test_held_out_texts_are_not_in_training() -> None:
    training = set(training_texts(200, seed=1))
    assert not training & set(held_out_texts(30, seed=2))


@pytest.mark.parametrize("language", LANGUAGES)
def test_durations_are_the_whole_audio_and_agree(language: str) -> None:
    texts = [text for text in training_texts(30, seed=3) if text.language == language][:12]
    for text in texts:
        prepared, phoneme_input = prepare(text.text, language)
        samples, events = Espeak().synthesize_with_events(
            prepared, VOICES[language], phoneme_input=phoneme_input
        )
        phonemes = phoneme_symbols(text.text, language)
        alignment = align(phonemes, events, samples / 32768, HOP_SAMPLES)
        assert alignment.frames.min() >= 0
        assert alignment.frames.sum() == len(samples) // HOP_SAMPLES
        assert len(alignment.frames) == len(phonemes) + 2
        assert alignment.agreement > 0.75
        assert set(phonemes) <= set(DEFAULT_PHONEME_ID_MAP)


def test_a_pause_belongs_to_its_comma() -> None:
    text = "Good morning, friend."
    samples, events = Espeak().synthesize_with_events(text, "en-us")
    audio = np.pad(samples / 32768, (0, 4000))
    phonemes = phoneme_symbols(text, "en")
    frames = align(phonemes, events, audio, HOP_SAMPLES).frames[1:-1]
    comma = phonemes.index(",")
    assert frames[comma] * HOP_SAMPLES / 22050 > 0.1
    assert frames[-1] * HOP_SAMPLES >= 3500  # the padding, at the full stop
    assert frames[phonemes.index("m")] > 2
