"""A training that was stopped is not begun anew by accident. The recipes themselves need torch."""

from pathlib import Path

import pytest

from engines.config import REPOSITORY
from scripts.train_starter.checkpoints import goes_on

RECIPES = ("stt/__main__.py", "llm.py", "tts/__main__.py", "nmt/__main__.py")


def test_a_checkpoint_is_taken_up_or_nothing_is_done(tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint.pt"
    assert not goes_on(checkpoint, resume=False)
    assert not goes_on(checkpoint, resume=True)
    checkpoint.write_bytes(b"hours of work")
    assert goes_on(checkpoint, resume=True)
    with pytest.raises(SystemExit, match=r"add --resume .*, or remove it"):
        goes_on(checkpoint, resume=False)
    assert checkpoint.read_bytes() == b"hours of work"


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_with_a_checkpoint_asks(name: str) -> None:
    recipe = (REPOSITORY / "scripts" / "train_starter" / name).read_text(encoding="utf-8")
    assert '"--resume"' in recipe
    assert "goes_on(" in recipe
