"""Whether a voice has finished: on voices that the classifier was not trained on."""

import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engines.config import REPOSITORY
from engines.tts.espeak import Espeak
from scripts.train_starter.prosody import network
from server.audio import Samples, samples_from_int16
from server.conversation.completeness import turn_completeness
from server.conversation.prosody import (
    Classifier,
    classifier,
    contour,
    features,
    inputs_of,
    syllables_per_second,
)
from server.resampling import resample
from tests.fakes import transcript

RATE_HZ = 16_000
SENTENCES = {
    "en": "I would like to see the dentist",
    "es": "Quisiera ver al dentista",
    "fr": "Je voudrais voir le dentiste",
    "hi": "मुझे डॉक्टर से मिलना है",
    "tl": "Gusto ko pong makita ang dentista",
}


def spoken(text: str, language: str, voice: str = "+m8", pitch: int = 50) -> Samples:
    """With the silence of a pause behind it."""
    made, rate_hz = Espeak().speak_language(text, language, voice=voice, pitch=pitch)
    samples = resample(samples_from_int16(made), rate_hz, RATE_HZ)
    end = int(np.flatnonzero(np.abs(samples) > 0.01)[-1])
    return np.concatenate([samples[:end], np.zeros(round(0.25 * RATE_HZ), np.float32)])


def probability(text: str, language: str, samples: Samples, confidence: float = 0.97) -> float:
    found = turn_completeness(transcript(text, language, confidence), samples, 0.4)
    assert found is not None
    return found


def count_melodies() -> int:
    """Of 20 sentences, those that sound more over with their full stop than with a comma."""
    right = 0
    for language, said in SENTENCES.items():
        for voice in ("+m8", "+m6", "+Alicia", "+f2"):  # the last alone was trained on
            over = probability(f"{said}.", language, spoken(f"{said}.", language, voice))
            goes_on = probability(f"{said}.", language, spoken(f"{said},", language, voice))
            right += over > goes_on + 0.1
    return right


def test_the_same_words_end_a_turn_or_do_not_by_their_melody() -> None:
    """In a process of its own, since eSpeak's voices waver with what they said before."""
    code = f"from {__name__} import count_melodies; print(count_melodies())"
    shown = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, check=True, capture_output=True, text=True
    ).stdout
    assert int(shown) >= 18  # of 20


def test_a_word_that_was_not_heard_is_missed_by_the_voice() -> None:
    heard, said = "Tell me the capital of France.", "Tell me the capital of France and,"
    assert probability(heard, "en", spoken(heard, "en")) > 0.85
    assert probability(heard, "en", spoken(said, "en")) < 0.65


def test_a_voice_that_falls_does_not_end_a_turn_on_a_filler() -> None:
    falling = spoken("I would like to see the dentist.", "en")
    assert probability("I would like to see the, um.", "en", falling) == pytest.approx(0.05)


def test_without_a_voice_the_words_decide_alone() -> None:
    noise = np.random.default_rng(1).normal(0, 0.01, RATE_HZ).astype(np.float32)
    for samples in (noise, np.zeros(RATE_HZ, np.float32), np.full(800, 0.1, np.float32)):
        assert features(samples) is None
        found = turn_completeness(transcript("What is the capital of France?"), samples, 0.4)
        assert found is not None
        assert found > 0.9
        assert turn_completeness(transcript("um what", confidence=0.2), samples, 0.4) is None


def test_without_words_the_voice_decides_alone() -> None:
    said = SENTENCES["es"]
    over, goes_on = spoken(f"{said}.", "es"), spoken(f"{said},", "es")
    assert probability("", "es", over, 0.0) > probability("", "es", goes_on, 0.0)


def test_neither_loudness_nor_what_was_said_long_before_matters() -> None:
    samples = spoken("What is the capital of France?", "en")
    expected = features(samples)
    assert expected is not None
    quieter, later = features(samples * 0.1), features(np.tile(samples, 4)[-len(samples) :])
    assert quieter is not None
    assert later is not None
    np.testing.assert_allclose(quieter, expected, atol=0.02)
    np.testing.assert_array_equal(later, expected)


@pytest.mark.parametrize("hertz", [90.0, 180.0, 330.0])
def test_the_pitch_of_a_tone_is_found(hertz: float) -> None:
    times = np.arange(RATE_HZ) / RATE_HZ
    tone = sum(np.sin(2 * np.pi * hertz * times * harmonic) / harmonic for harmonic in (1, 2, 3))
    found = contour(np.asarray(0.2 * tone, np.float32))
    assert found is not None
    assert np.median(100 * 2 ** (found.semitones / 12)) == pytest.approx(hertz, rel=0.01)
    assert np.median(found.correlation) > 0.9


def test_speech_has_syllables_and_hums_and_coughs_have_not() -> None:
    times = np.arange(int(1.4 * RATE_HZ)) / RATE_HZ
    hum = np.asarray(0.3 * np.sin(2 * np.pi * 150 * times), np.float32)
    rng = np.random.default_rng(2)
    bursts = np.exp(-(times % 0.7) * 12) * rng.normal(0, 0.2, len(times))
    assert syllables_per_second(hum) < 1.5
    assert syllables_per_second(np.asarray(bursts, np.float32)) < 2.5
    for language, said in SENTENCES.items():
        assert syllables_per_second(spoken(said, language)[: len(times)]) >= 2.5
    assert syllables_per_second(hum[:100]) == 0.0


def test_the_weights_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "weights.npz"
    model = classifier()
    model.save(path)
    again = Classifier.load(path)
    assert again.languages == model.languages == tuple(SENTENCES)
    inputs = inputs_of(spoken("Hello.", "en"), transcript("Hello."), model.languages)
    assert inputs is not None
    assert again.voice(inputs) == pytest.approx(model.voice(inputs), abs=1e-5)
    assert model.together(2.0, 0.0, 1.0) != model.together(2.0, 1.0, 1.0)


def test_a_network_learns_what_it_is_shown() -> None:
    rng = random.Random(3)
    inputs = np.array([[rng.gauss(0, 1), rng.gauss(0, 1)] for _ in range(6000)])
    targets = (inputs[:, 0] * inputs[:, 1] > 0).astype(np.float64)  # no line parts them
    first = network.fit(inputs, targets)
    scores = (np.tanh(inputs @ first[0] + first[1]) @ first[2] + first[3])[:, 0]
    assert network.area(scores, targets) > 0.85
    weights = network.logistic(np.column_stack([inputs[:, 0], np.ones(6000)]), targets)
    assert abs(weights[1]) < 0.3
