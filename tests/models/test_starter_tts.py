"""The committed starter voice: format, size, and that what it says resembles eSpeak NG's speech."""

import numpy as np
import pytest
from numpy.typing import NDArray
from piper import PiperVoice, SynthesisConfig

from engines.batcher import Batcher
from engines.config import STARTER
from engines.tts import SpeechChunk, SpeechRequest, TtsConfig, TtsEngine, VoiceConfig
from engines.tts.espeak import Espeak
from engines.tts.voice import Samples

FOLDER = STARTER / "tts"
MODEL = FOLDER / "starter.onnx"
SENTENCES = {
    "en": "On Monday the clinic is open until five.",
    "es": "La capital de Italia es Roma.",
    "fr": "Votre rendez-vous est mercredi à neuf heures.",
    "hi": "भारत की राजधानी नई दिल्ली है।",
    "tl": "Bukas po ang klinika mula Lunes hanggang Sabado.",
}


@pytest.fixture(scope="module")
def engine() -> TtsEngine:
    voices = tuple(VoiceConfig(language, "piper", str(MODEL)) for language in SENTENCES)
    engine = TtsEngine(TtsConfig(voices, device="cpu"))
    engine.load()
    return engine


async def speak(engine: TtsEngine, request: SpeechRequest) -> Samples:
    class Loaded(TtsEngine):
        """The engine that is loaded already."""

        def load(self) -> None:
            self.__dict__.update(engine.__dict__)

    batcher: Batcher[SpeechRequest, SpeechChunk] = Batcher("tts", Loaded(TtsConfig()))
    async with batcher, batcher.submit(request) as job:
        chunks = [chunk async for chunk in job]
    assert {chunk.rate_hz for chunk in chunks} == {22050}
    return np.concatenate([chunk.samples for chunk in chunks])


def long_term_spectrum_db(samples: Samples) -> NDArray[np.float64]:
    """Mean power in bands of 172 Hz up to 5.5 kHz, in dB."""
    windows = np.lib.stride_tricks.sliding_window_view(samples / 32768, 512)[::128]
    power = np.mean(np.abs(np.fft.rfft(windows * np.hanning(512))) ** 2, axis=0)
    decibels: NDArray[np.float64] = 10 * np.log10(power[:128].reshape(32, 4).mean(axis=1) + 1e-12)
    return decibels


def test_files_are_small_and_complete() -> None:
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 8e6
    assert {file.name for file in FOLDER.glob("*.json")} == {
        f"starter.{language}.onnx.json" for language in SENTENCES
    }
    assert (FOLDER / "README.md").is_file()


@pytest.mark.parametrize("language", SENTENCES)
def test_loads_in_an_unmodified_piper(language: str) -> None:
    voice = PiperVoice.load(MODEL, FOLDER / f"starter.{language}.onnx.json")
    text = "Salamat po." if language == "tl" else SENTENCES[language]
    (chunk,) = voice.synthesize(text, SynthesisConfig(normalize_audio=False))
    assert 0.5 < len(chunk.audio_int16_array) / chunk.sample_rate < 6.0
    assert np.abs(chunk.audio_float_array).max() > 0.1


@pytest.mark.parametrize("language", SENTENCES)
async def test_speech_resembles_espeak(engine: TtsEngine, language: str) -> None:
    samples = await speak(engine, SpeechRequest(SENTENCES[language], language))
    model_speech, _ = Espeak().speak_language(SENTENCES[language], language)
    assert 0.8 < len(samples) / (len(model_speech) + 22050 / 8) < 1.25
    correlation = np.corrcoef(long_term_spectrum_db(samples), long_term_spectrum_db(model_speech))[
        0, 1
    ]
    assert correlation > 0.9


@pytest.mark.parametrize("language", SENTENCES)
async def test_speech_is_neither_clipped_nor_silent(engine: TtsEngine, language: str) -> None:
    samples = await speak(engine, SpeechRequest(SENTENCES[language], language))
    loudness = np.abs(samples.astype(int))
    assert np.mean(loudness >= 32767) < 1e-3
    windows = samples[: len(samples) // 441 * 441].reshape(-1, 441).astype(float)
    assert np.mean(windows.std(axis=1) > 300) > 0.5
    edge = loudness[-22050 // 20 :]
    assert edge.max() < 3000  # a pause at the end of a sentence


async def test_speed(engine: TtsEngine) -> None:
    slow, fast = [
        len(await speak(engine, SpeechRequest(SENTENCES["en"], "en", speed=speed)))
        for speed in (0.8, 1.6)
    ]
    assert 1.6 < slow / fast < 2.4


async def test_languages_sound_different(engine: TtsEngine) -> None:
    english, french = [
        await speak(engine, SpeechRequest("Le taxi est important.", language))
        for language in ("en", "fr")
    ]
    assert len(english) != len(french)


def test_one_model_serves_five_languages(engine: TtsEngine) -> None:
    piper = [model for model in engine.loaded if model.name.startswith("Piper")]
    assert [model.name for model in piper] == ["Piper starter"]
    assert piper[0].seconds < 30
