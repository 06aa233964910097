"""The layer over llama.cpp's C functions."""

import logging
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.random_models import write_scripted_gguf
from engines.config import REPOSITORY
from engines.errors import ModelError
from engines.llm.context import Batch, Context, Sampler
from engines.llm.llama import Model, Vocabulary, _LogLine
from tests.tiny_llm import write_sentencepiece_gguf


@pytest.fixture
def model(random_model: Path) -> Model:
    return Model(random_model, gpu_layers=0)


@pytest.fixture
def context(model: Model) -> Context:
    return Context(model, tokens=256, sequences=4, batch_tokens=64, threads=1)


def decode(context: Context, tokens: list[int], *, sequence: int, position: int = 0) -> int:
    batch = Batch(64)
    index = batch.add(tokens, sequence=sequence, position=position, output=True)
    context.decode(batch)
    return index


def detokenized(vocabulary: Vocabulary, tokens: list[int]) -> str:
    return b"".join(map(vocabulary.piece, tokens)).decode()


@pytest.mark.parametrize("text", ["", "Hello, world!", "¿Qué tal?", "नमस्ते", "\n\n  a\tb", "😀"])
def test_text_survives_tokens(model: Model, text: str) -> None:
    vocabulary = model.vocabulary
    assert detokenized(vocabulary, vocabulary.tokenize(text)) == text


def test_control_tokens_are_read_but_not_written(model: Model) -> None:
    vocabulary = model.vocabulary
    tokens = vocabulary.tokenize("<|im_start|>a<|im_end|>")
    assert len(tokens) == 3
    assert detokenized(vocabulary, tokens) == "a"
    assert [vocabulary.ends_answer(token) for token in tokens] == [False, False, True]
    assert set(vocabulary.control_texts) == {
        "<|endoftext|>",
        "<|im_start|>",
        "<|im_end|>",
        "<|pad|>",
    }


def test_segments_of_a_byte_level_vocabulary_can_be_joined(model: Model) -> None:
    assert model.vocabulary.joins_segments
    assert not model.vocabulary.adds_bos
    assert model.vocabulary.eos_text == "<|im_end|>"


@pytest.mark.parametrize("space_before_text", [True, False])
def test_segments_are_joined_only_where_no_space_is_put_before_them(
    tmp_path: Path, space_before_text: bool
) -> None:
    path = tmp_path / "sentencepiece.gguf"
    write_sentencepiece_gguf(path, space_before_text=space_before_text)
    vocabulary = Model(path, gpu_layers=0).vocabulary
    assert vocabulary.joins_segments != space_before_text
    assert vocabulary.adds_bos
    assert vocabulary.bos_text == "<s>"
    assert detokenized(vocabulary, vocabulary.tokenize("Hé"))[-2:] == "Hé"


def test_pieces_longer_than_the_first_buffer_are_whole(tmp_path: Path) -> None:
    path, piece = tmp_path / "long.gguf", b"long " * 40
    write_scripted_gguf(path, [piece])
    vocabulary = Model(path, gpu_layers=0).vocabulary
    assert piece in {vocabulary.piece(token) for token in range(vocabulary.size)}


def test_sequences_do_not_see_each_other(model: Model, context: Context) -> None:
    tokens = model.vocabulary.tokenize("Hello, world!")
    alone = context.logits(decode(context, tokens, sequence=0)).copy()
    decode(context, tokens[::-1], sequence=1)
    again = context.logits(decode(context, tokens, sequence=2))
    np.testing.assert_allclose(again, alone, atol=1e-4)


def test_a_copied_prefix_goes_on_like_its_source(model: Model, context: Context) -> None:
    tokens = model.vocabulary.tokenize("Hello, world!")
    expected = context.logits(decode(context, tokens, sequence=0)).copy()
    context.copy(0, 1, len(tokens) - 1)
    assert context.length(1) == len(tokens) - 1
    index = decode(context, tokens[-1:], sequence=1, position=len(tokens) - 1)
    np.testing.assert_allclose(context.logits(index), expected, atol=1e-4)


def test_sequences_are_truncated_and_cleared(model: Model, context: Context) -> None:
    decode(context, model.vocabulary.tokenize("Hello, world!"), sequence=0)
    assert context.truncate(0, 2)
    assert context.length(0) == 2
    context.clear(0)
    assert context.length(0) == 0


def test_at_temperature_zero_the_likeliest_token_is_picked(model: Model, context: Context) -> None:
    index = decode(context, model.vocabulary.tokenize("Hello"), sequence=0)
    logits = context.logits(index)
    greedy = Sampler(temperature=0, top_k=40, top_p=0.9, seed=0)
    only_one = Sampler(temperature=1, top_k=1, top_p=1.0, seed=0)
    assert greedy.pick(context, index) == int(np.argmax(logits)) == only_one.pick(context, index)


def test_a_file_that_is_no_model_is_an_error_and_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "none.gguf"
    path.write_bytes(b"GGUF")
    with caplog.at_level(logging.DEBUG, "engines.llm.llama"), pytest.raises(ModelError):
        Model(path, gpu_layers=0)
    assert any(record.levelno == logging.ERROR for record in caplog.records)


def test_log_lines_are_joined_and_may_hold_broken_utf8(caplog: pytest.LogCaptureFixture) -> None:
    line = _LogLine()
    with caplog.at_level(logging.DEBUG, "engines.llm.llama"):
        line.add(3, b"token \xe0\xa4 ")
        line.add(5, b"is odd\n")
    assert [(r.levelno, r.getMessage()) for r in caplog.records] == [
        (logging.INFO, "token \N{REPLACEMENT CHARACTER} is odd")
    ]


CRASH = """
import sys
from pathlib import Path
from engines.llm.context import Batch, Context
from engines.llm.llama import Model

model = Model(Path(sys.argv[1]), gpu_layers=0)
context = Context(model, tokens=256, sequences=1, batch_tokens=32, threads=1)
batch = Batch(64)
batch.add([5] * 64, sequence=0, position=0, output=True)  # more than the context was made for
context.decode(batch)
"""


def test_a_failed_assertion_of_ggml_ends_the_process_at_once(random_model: Path) -> None:
    command = [sys.executable, "-c", CRASH, str(random_model)]
    result = subprocess.run(command, cwd=REPOSITORY, check=False, capture_output=True, timeout=30)
    assert result.returncode == -signal.SIGABRT
    assert b"GGML_ASSERT" in result.stderr
