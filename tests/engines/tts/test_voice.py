"""Long texts in passages, audio in chunks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.tts.voice import MAX_PASSAGE_CHARACTERS, growing_chunks, passages


@pytest.mark.parametrize("text", ["", "  ", "...", "¿?", "\n—\n", "।", "😀"])
def test_nothing_to_say_gives_no_passage(text: str) -> None:
    assert list(passages(text)) == []


def test_short_text_stays_whole() -> None:
    assert list(passages("Dr. Cruz is in. Come!")) == ["Dr. Cruz is in. Come!"]


@pytest.mark.parametrize("boundary", [". ", "? ", "। ", "\n", ", ", " "])
def test_long_text_is_divided_at_its_best_boundary(boundary: str) -> None:
    head = "word" * 40 + boundary
    assert list(passages(head + "x" * 200)) == [head, "x" * 200]


def test_sentence_end_is_preferred_to_a_later_comma() -> None:
    head = "a" * 100 + ". "
    text = head + "b" * 100 + ", " + "c" * 150
    assert next(iter(passages(text))) == head


@given(st.text(max_size=2000))
def test_no_letter_is_lost_and_no_passage_is_too_long(text: str) -> None:
    parts = list(passages(text))
    assert all(len(part) <= MAX_PASSAGE_CHARACTERS for part in parts)
    spoken = [character for part in parts for character in part if character.isalnum()]
    assert spoken == [character for character in text if character.isalnum()]


def test_chunks_grow_and_together_are_the_audio() -> None:
    samples = np.arange(32000, dtype=np.int16)
    chunks = list(growing_chunks(samples, 16000))
    assert [len(chunk) for chunk in chunks] == [1280, 2560, 5120, 10240, 10240, 2560]
    assert np.array_equal(np.concatenate(chunks), samples)
