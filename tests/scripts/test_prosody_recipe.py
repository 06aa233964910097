"""The corpus of the recipe for the end of a turn: it is drawn by its seed, and read as made."""

from pathlib import Path

import numpy as np
import pytest

from scripts.train_starter.prosody import corpus
from scripts.train_starter.prosody.corpus import Part

PART = Part("es", sentences=3, seed=11, held_out=True)


async def test_a_part_is_made_once_and_again_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpus, "FOLDER", tmp_path / "kept")
    made = await corpus.examples(PART)
    first = PART.path.stat().st_mtime_ns
    read = await corpus.examples(PART)
    assert PART.path.stat().st_mtime_ns == first
    monkeypatch.setattr(corpus, "FOLDER", tmp_path / "again")
    again = await corpus.examples(PART)
    assert {each.kind for each in made} == {"whole", "comma", "cut"}
    assert sum(each.is_complete for each in made) == PART.sentences
    drawn = [(each.said, each.kind, each.voice) for each in made]
    assert drawn == [(each.said, each.kind, each.voice) for each in again]
    assert drawn == [(each.said, each.kind, each.voice) for each in read]
    for one, other in zip(made, read, strict=True):
        assert one.transcript == other.transcript
        np.testing.assert_array_equal(one.samples, other.samples)


def test_every_part_has_a_file_of_its_own() -> None:
    parts = [Part("es", 3, 1, held_out) for held_out in (True, False)]
    parts += [Part("es", 3, 2, True), Part("es", 4, 1, True), Part("en", 3, 1, True)]
    assert len({part.path for part in parts}) == len(parts)
