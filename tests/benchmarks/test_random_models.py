"""The random models load and run in our engines, and the scripted ones say what they must."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from benchmarks.random_models import (
    VitsShape,
    WhisperShape,
    write_random_gguf,
    write_random_vits,
    write_scripted_gguf,
    write_scripted_whisper,
)
from benchmarks.random_models.vits import FRAMES_PER_ID
from engines.batcher import Batcher
from engines.config import SttConfig
from engines.llm import LlmEngine
from engines.stt import SttEngine, SttRequest, Transcript
from engines.tts.piper_model import CutModel, Scales, open_model
from scripts.gguf_file import LlamaShape, Quantization
from tests.tiny_llm import Steps, chat, config, outputs_of, user


@pytest.mark.parametrize("quantization", ["F32", "F16", "Q8_0", "Q4_0"])
def test_a_random_model_generates_tokens(tmp_path: Path, quantization: Quantization) -> None:
    path = tmp_path / "random.gguf"
    write_random_gguf(path, layers=1, width=64, vocabulary_size=1000, quantization=quantization)
    engine = LlmEngine(config(path))
    engine.load()
    steps = Steps(engine)
    job, _ = steps.start(chat("a", user("Hello."), max_tokens=8))
    steps.finish()
    assert outputs_of(job).completion.generated_tokens == 8


def test_quantized_files_are_smaller(tmp_path: Path) -> None:
    sizes = []
    for quantization in ("F32", "F16", "Q8_0", "Q4_0"):
        path = tmp_path / f"{quantization}.gguf"
        write_random_gguf(path, layers=4, width=128, quantization=quantization)
        sizes.append(path.stat().st_size)
    assert sizes == sorted(sizes, reverse=True)


def test_the_same_seed_writes_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    files = []
    for seed in (1, 1, 2):
        write_random_gguf(path, layers=1, width=64, seed=seed)
        files.append(path.read_bytes())
    assert files[0] == files[1] != files[2]


def test_a_scripted_model_says_its_pieces_whatever_is_asked(tmp_path: Path) -> None:
    path = tmp_path / "scripted.gguf"
    pieces = (b"Of", b" course", b".")
    shape = LlamaShape(layers=2, width=128, heads=4, kv_heads=2, feed_forward=256)
    write_scripted_gguf(path, pieces, shape=shape, vocabulary_size=2000)
    engine = LlmEngine(config(path))
    engine.load()
    steps = Steps(engine)
    jobs = [steps.start(chat("a", user(text)))[0] for text in ("Hello.", "And when?")]
    steps.finish()
    for job in jobs:
        assert outputs_of(job).text == "Of course."
        assert outputs_of(job).completion.reason == "stop"


async def test_a_scripted_whisper_hears_its_words_in_everything(tmp_path: Path) -> None:
    words = ("good", "morning,", "doctor.")
    write_scripted_whisper(
        tmp_path,
        WhisperShape(2, 1, 64, 2, 128),
        words,
        languages=("tl", "en"),
        num_languages=10,
        num_text_tokens=500,
    )
    (tmp_path / "preprocessor_config.json").write_text('{"feature_size": 128}')
    noise = np.random.default_rng(0).normal(0, 0.1, (2, 32_000)).astype(np.float32)
    async with Batcher[SttRequest, Transcript](
        "stt", SttEngine(SttConfig(model=str(tmp_path)))
    ) as jobs:
        heard = await asyncio.gather(*(jobs.run(SttRequest(one, ("en", "tl"))) for one in noise))
    for transcript in heard:
        assert transcript.text == "good morning, doctor."
        assert transcript.language == "tl"
        assert transcript.mean_token_probability > 0.9
        assert transcript.rejected_by is None


def test_a_random_voice_is_cut_and_gives_every_phoneme_its_frames(tmp_path: Path) -> None:
    path = tmp_path / "voice.onnx"
    write_random_vits(path, VitsShape(8, 16, 2, 2, 2, 2, 16))
    ids, scales = [1, 0, 20, 0, 35, 0, 2], Scales(0.667, 1.0, 0.8)
    ends: list[list[int]] = []
    model = open_model(path, "cpu")
    assert isinstance(model, CutModel)
    audio = np.concatenate(
        list(model.speak(ids, scales, 0, lambda known: ends.append(known.tolist())))
    )
    samples_per_id = FRAMES_PER_ID * 256
    assert ends == [[samples_per_id * (index + 1) for index in range(len(ids))]]
    assert len(audio) == samples_per_id * len(ids)
    assert 0.001 < float(np.abs(audio).max()) <= 1.0


def test_the_voice_is_of_the_size_of_pipers_medium(tmp_path: Path) -> None:
    path = tmp_path / "voice.onnx"
    write_random_vits(path)
    assert 60e6 < path.stat().st_size < 65e6  # Piper's own are 63 MB
