"""Models that the tests of this folder share, each written and loaded once."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from llama_cpp import llama_cpp as lib

from benchmarks.random_models import write_random_gguf, write_scripted_gguf
from engines.llm import LlmEngine
from tests.tiny_llm import MakeEngine, Script, config


@pytest.fixture(autouse=True)
def exact_attention(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the KV cache in float32. The usual float16 rounds differently in batches of different
    sizes, and a random model's likeliest token often leads by no more than that."""
    defaults = lib.llama_context_default_params

    def in_float32() -> lib.llama_context_params:
        parameters: lib.llama_context_params = defaults()
        parameters.type_k = parameters.type_v = lib.GGML_TYPE_F32
        parameters.flash_attn_type = lib.LLAMA_FLASH_ATTN_TYPE_DISABLED
        return parameters

    monkeypatch.setattr(lib, "llama_context_default_params", in_float32)


@pytest.fixture(autouse=True)
def constant_audits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at every cell whenever an engine falls idle, not once a second."""
    monkeypatch.setattr("engines.llm.kv_cache.AUDIT_SECONDS", 0.0)


@pytest.fixture(scope="session")
def random_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that answers each prompt in its own way."""
    path = tmp_path_factory.mktemp("models") / "random.gguf"
    write_random_gguf(path, layers=2, width=64, seed=1)
    return path


@pytest.fixture
def load(random_model: Path) -> MakeEngine:
    """A loaded engine on the random model."""

    def make(*, sequences: int = 8, context_tokens: int = 2048) -> LlmEngine:
        engine = LlmEngine(config(random_model, sequences=sequences, context_tokens=context_tokens))
        engine.load()
        return engine

    return make


@pytest.fixture
def scripted(tmp_path: Path) -> Script:
    """An engine, not loaded yet, whose model says these pieces, one token each."""

    def make(pieces: Sequence[bytes]) -> LlmEngine:
        path = tmp_path / "scripted.gguf"
        write_scripted_gguf(path, pieces)
        return LlmEngine(config(path))

    return make
