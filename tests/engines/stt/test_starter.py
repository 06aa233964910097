"""The committed starter model: it hears its domain in five languages, and nothing in silence."""

import jiwer
import numpy as np
import pytest
import soxr

from engines.config import SttConfig
from engines.stt import SttEngine
from engines.stt.guards import spoken_words
from engines.tts.espeak import VOICES, Espeak
from tests.engines.stt.helpers import Samples, ask, transcribe

LANGUAGES = ("en", "es", "fr", "hi", "tl")
SENTENCES = {
    "en": "I would like an appointment, please.",
    "es": "Quisiera una cita para el lunes.",
    "fr": "Avec le dentiste, s'il vous plaît.",
    "hi": "मुझे बुधवार को चार बजे अपॉइंटमेंट चाहिए।",
    "tl": "Gusto ko pong makita ang dentista sa Lunes.",
}


@pytest.fixture(scope="module")
def starter() -> SttEngine:
    engine = SttEngine(SttConfig(device="cpu"))
    engine.load()
    return engine


def spoken(language: str) -> Samples:
    """The sentence at 16 kHz with some silence around it, as the VAD hands it over."""
    samples, rate_hz = Espeak().synthesize(SENTENCES[language], VOICES[language])
    speech = soxr.resample(samples.astype(np.float32) / 32768, rate_hz, 16000)
    silence = np.zeros(4000, np.float32)
    return np.concatenate([silence, speech, silence], dtype=np.float32)


def test_it_hears_every_language_in_one_batch(starter: SttEngine) -> None:
    requests = [ask(spoken(language), LANGUAGES) for language in LANGUAGES]
    transcripts = transcribe(starter, *requests)
    assert tuple(transcript.language for transcript in transcripts) == LANGUAGES
    for transcript in transcripts:
        said = spoken_words(SENTENCES[transcript.language])
        assert jiwer.wer(said, spoken_words(transcript.text)) <= 0.25
        assert transcript.rejected_by is None
        assert transcript.mean_token_probability > 0.5


def test_it_hears_nothing_in_silence_and_noise(starter: SttEngine) -> None:
    noise = np.random.default_rng(0).standard_normal(32000).astype(np.float32)
    sounds = [np.zeros(32000, np.float32), noise * 0.02, noise * 0.2]
    transcripts = transcribe(starter, *(ask(sound, LANGUAGES) for sound in sounds))
    assert [transcript.text for transcript in transcripts] == ["", "", ""]


def test_it_is_asked_on_short_windows_and_not_to_translate(starter: SttEngine) -> None:
    assert starter._model.trained_on_short_windows
    assert not starter._model.translates
