"""Silero VAD on eSpeak NG's speech, silence and noise."""

import asyncio
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soxr

from engines.batcher import Batcher
from engines.config import VadConfig
from engines.errors import EngineError, ModelError
from engines.tts.espeak import VOICES, Espeak
from engines.vad import RATE_HZ, WINDOW_SAMPLES, VadEngine, VadRequest, VadResult, VadState

Samples = npt.NDArray[np.float32]
VadBatcher = Batcher[VadRequest, VadResult]

SENTENCES = {
    "en": "Good morning, I would like an appointment.",
    "es": "Buenos días, quisiera pedir una cita.",
    "fr": "Bonjour, je voudrais un rendez-vous.",
    "hi": "नमस्ते, मुझे डॉक्टर से मिलना है।",
    "tl": "Magandang umaga po, gusto ko pong magpatala.",
}


def speech(language: str) -> Samples:
    """A sentence at 16 kHz, between half a second of silence on either side."""
    samples, rate_hz = Espeak().synthesize(SENTENCES[language], VOICES[language])
    spoken = soxr.resample(samples.astype(np.float32) / 32768, rate_hz, RATE_HZ)
    silence = np.zeros(RATE_HZ // 2, np.float32)
    return np.concatenate([silence, spoken, silence], dtype=np.float32)


async def probabilities(batcher: VadBatcher, samples: Samples) -> list[float]:
    """One call: its windows one after the other, the state passed along."""
    state: VadState | None = None
    found = []
    for start in range(0, len(samples) - WINDOW_SAMPLES + 1, WINDOW_SAMPLES):
        result = await batcher.run(VadRequest(samples[start : start + WINDOW_SAMPLES], state))
        state = result.state
        found.append(result.speech_probability)
    return found


@pytest.mark.parametrize("language", SENTENCES)
async def test_speech_is_found_in_every_language(language: str) -> None:
    async with VadBatcher("vad", VadEngine(VadConfig())) as batcher:
        found = await probabilities(batcher, speech(language))
    edge = RATE_HZ // 2 // WINDOW_SAMPLES - 1
    assert np.mean([probability > 0.5 for probability in found[edge:-edge]]) > 0.7
    assert max(found[:edge]) < 0.5


async def test_silence_and_noise_are_not_speech() -> None:
    noise = np.random.default_rng(0).standard_normal(3 * RATE_HZ).astype(np.float32)
    async with VadBatcher("vad", VadEngine(VadConfig())) as batcher:
        assert max(await probabilities(batcher, np.zeros(3 * RATE_HZ, np.float32))) < 0.2
        assert np.mean(await probabilities(batcher, noise * 0.05)) < 0.2


async def test_calls_in_one_batch_do_not_mix() -> None:
    """Calls side by side hear what each hears alone."""
    calls = [speech(language) for language in SENTENCES]
    async with VadBatcher("vad", VadEngine(VadConfig())) as batcher:
        together = await asyncio.gather(*(probabilities(batcher, call) for call in calls))
        assert max(batcher.batch_sizes) > 1
        alone = [await probabilities(batcher, call) for call in calls]
    for one, other in zip(together, alone, strict=True):
        assert one == pytest.approx(other, abs=1e-4)


async def test_the_state_carries_the_past() -> None:
    samples = speech("en")
    async with VadBatcher("vad", VadEngine(VadConfig())) as batcher:
        state: VadState | None = None
        for start in range(0, RATE_HZ, WINDOW_SAMPLES):
            window = samples[start : start + WINDOW_SAMPLES]
            remembering = await batcher.run(VadRequest(window, state))
            state = remembering.state
        forgetting = await batcher.run(VadRequest(window, None))
        again = await batcher.run(VadRequest(window, None))
    assert remembering.speech_probability != pytest.approx(forgetting.speech_probability, abs=1e-3)
    assert forgetting.speech_probability == again.speech_probability
    assert state is not None
    assert np.array_equal(state.context, window[-64:])


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(511, np.float32),
        np.zeros((2, 512), np.float32),
        np.full(512, np.nan, np.float32),
    ],
    ids=["short", "stereo", "nan"],
)
async def test_a_window_that_is_none_is_refused_alone(samples: Samples) -> None:
    async with VadBatcher("vad", VadEngine(VadConfig())) as batcher:
        good = batcher.run(VadRequest(np.zeros(WINDOW_SAMPLES, np.float32), None))
        bad = batcher.run(VadRequest(samples, None))
        heard, refused = await asyncio.gather(good, bad, return_exceptions=True)
    assert isinstance(heard, VadResult)
    assert isinstance(refused, EngineError)
    assert "512 finite samples" in str(refused)


def test_it_says_what_it_loaded() -> None:
    engine = VadEngine(VadConfig())
    engine.load()
    (loaded,) = engine.loaded
    assert (loaded.kind, loaded.device) == ("vad", "cpu")
    assert Path(loaded.path).is_file()
    assert loaded.megabytes > 0.5


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"nowhere\.onnx is missing"):
        VadEngine(VadConfig(str(tmp_path / "nowhere.onnx"))).load()


def test_a_broken_model_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"not a model")
    with pytest.raises(ModelError, match=r"broken\.onnx is broken"):
        VadEngine(VadConfig(str(path))).load()


async def test_windows_of_one_job_are_heard_as_if_they_came_one_by_one() -> None:
    samples = speech("es")
    whole = samples[: len(samples) // WINDOW_SAMPLES * WINDOW_SAMPLES]
    async with VadBatcher("vad", VadEngine(VadConfig())) as batcher:
        one_by_one = await probabilities(batcher, whole)
        async with batcher.submit(VadRequest(whole, None)) as job:
            together = [result.speech_probability async for result in job]
    assert together == pytest.approx(one_by_one, abs=1e-6)
