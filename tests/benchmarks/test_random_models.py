"""The random GGUF models load and run in every quantization and size of vocabulary."""

from pathlib import Path

import pytest

from benchmarks.random_models import write_random_gguf
from engines.llm import LlmEngine
from scripts.gguf_file import Quantization
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
