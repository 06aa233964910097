"""What is loaded, and what is said of a model that cannot be."""

from pathlib import Path

import pytest

from benchmarks.random_models import write_random_gguf
from engines.errors import ModelError
from engines.llm import (
    LlmConfig,
    LlmEngine,
)
from engines.llm.engine import chunk_tokens
from tests.tiny_llm import (
    MakeEngine,
)


def test_it_says_what_it_loaded(random_model: Path, load: MakeEngine) -> None:
    (model,) = load().loaded
    assert (model.kind, model.name, model.path) == ("llm", "random", str(random_model))
    assert model.device == "cpu"
    assert model.megabytes == pytest.approx(random_model.stat().st_size / 1e6)


@pytest.mark.parametrize(
    ("chosen", "on_gpu", "tokens"), [(0, False, 64), (0, True, 256), (32, True, 32)]
)
def test_how_much_of_a_prompt_a_step_takes_is_the_devices_unless_it_is_chosen(
    chosen: int, on_gpu: bool, tokens: int
) -> None:
    assert chunk_tokens(LlmConfig(prefill_chunk_tokens=chosen), on_gpu=on_gpu) == tokens


@pytest.mark.parametrize("content", [None, b"", b"not a GGUF file", b"GGUF\x03\x00\x00\x00"])
def test_a_missing_or_broken_file_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "broken.gguf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=r"broken\.gguf .* tinig\.toml"):
        LlmEngine(LlmConfig(model=str(path))).load()


def test_a_truncated_file_is_named(tmp_path: Path, random_model: Path) -> None:
    path = tmp_path / "half.gguf"
    path.write_bytes(random_model.read_bytes()[:200_000])
    with pytest.raises(ModelError, match=r"half\.gguf"):
        LlmEngine(LlmConfig(model=str(path))).load()


def test_a_model_without_a_chat_template_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "base.gguf"
    write_random_gguf(path, layers=1, width=64, chat_template="")
    with pytest.raises(ModelError, match="chat template"):
        LlmEngine(LlmConfig(model=str(path))).load()


def test_a_chat_template_that_cannot_be_compiled_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "odd.gguf"
    write_random_gguf(path, layers=1, width=64, chat_template="{% if %}")
    with pytest.raises(ModelError, match="chat template cannot be compiled"):
        LlmEngine(LlmConfig(model=str(path))).load()
