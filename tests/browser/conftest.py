"""What the fake microphone hears."""

from pathlib import Path

import pytest

from tests.browser.house import record


@pytest.fixture
def silence(tmp_path: Path) -> Path:
    return record(tmp_path / "silence.wav", 1.0)
