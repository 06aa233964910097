"""Whisper models of random weights, made once."""

from pathlib import Path

import pytest

from engines.stt import SttEngine
from tests.engines.stt.helpers import make_engine
from tests.tiny_whisper import edit_config, write_random_whisper


@pytest.fixture(scope="session")
def whisper_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that says some letters and ends. Not to be written to."""
    return write_random_whisper(tmp_path_factory.mktemp("whisper"))


@pytest.fixture(scope="session")
def short_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, whose configuration says that it was trained on short windows."""
    directory = write_random_whisper(tmp_path_factory.mktemp("short"))
    edit_config(directory, short_windows=True)
    return directory


@pytest.fixture
def engine(short_directory: Path) -> SttEngine:
    """An engine on the model of short windows."""
    return make_engine(short_directory, short_windows=None)
