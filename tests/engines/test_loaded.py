"""What a model says of itself at start-up."""

from pathlib import Path

import pytest

from engines.errors import ModelError
from engines.loaded import LoadedModel, megabytes_of, model_error, read_card, stopwatch


def test_a_line_for_the_log() -> None:
    model = LoadedModel("stt", "base", "models/base", "cuda", 145.26, 2.04)
    assert str(model) == "stt: base on cuda, 145.3 MB in 2.0 s, from models/base"


def test_megabytes_of_a_file_and_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(2_000_000))
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "b").write_bytes(bytes(500_000))
    assert megabytes_of(tmp_path / "a") == pytest.approx(2.0)
    assert megabytes_of(tmp_path) == pytest.approx(2.5)


def test_a_stopwatch_stops_when_its_block_fails() -> None:
    with pytest.raises(ZeroDivisionError), stopwatch() as watch:
        raise ZeroDivisionError
    assert watch.seconds > 0


def test_an_error_names_the_file_and_the_command() -> None:
    starter = model_error(Path("/srv/models/starter/stt/model.bin"), "is missing")
    assert str(starter).startswith("/srv/models/starter/stt/model.bin is missing. `make starter-")
    assert "tinig.toml" in str(model_error(Path("/models/other"), "is missing"))


def test_a_card_is_read_and_a_broken_one_refused(tmp_path: Path) -> None:
    assert read_card(tmp_path) == {}
    card = tmp_path / "tinig.json"
    card.write_text('{"reasons": false}')
    assert read_card(tmp_path) == {"reasons": False}
    card.write_text("[]")
    with pytest.raises(ModelError, match="no JSON object"):
        read_card(tmp_path)
