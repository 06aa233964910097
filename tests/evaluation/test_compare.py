"""Two runs side by side."""

from pathlib import Path

import pytest

from evaluation.compare import changes, table
from evaluation.run_folder import RunFolder

SAID = "el lunes a las dos"
WRONG = "el lunes a los tres"


def run(folder: Path, num_wrong: int, seconds: float = 0.1, first: int = 0) -> RunFolder:
    """Forty recordings, of which some are misheard."""
    made = RunFolder(folder)
    made.begin("stt", {"model": folder.name}, {"commands": ["test"]})
    results = made.results("stt")
    for number in range(first, first + 40):
        key = f"set/es-{number}/clean"
        results.append(
            key,
            {
                "condition": "clean",
                "language": "es",
                "said": SAID,
                "heard": WRONG if number < num_wrong else SAID,
                "audio_seconds": 2.0,
                "seconds": seconds,
            },
        )
    return made


def test_a_clear_change_is_significant_and_none_is_not(tmp_path: Path) -> None:
    first, second = run(tmp_path / "a", 2), run(tmp_path / "b", 20, seconds=0.2)
    found = {change.name: change for change in changes(first, second)}
    assert set(found) == {"wer.es", "wer.all", "rtf"}
    assert found["wer.es"].first == pytest.approx(2 * 2 / 200)
    assert found["wer.es"].second == pytest.approx(20 * 2 / 200)
    assert found["wer.es"].is_worse
    assert found["rtf"].difference.value == pytest.approx(0.05)
    back = {change.name: change for change in changes(second, first)}
    assert not back["wer.es"].is_worse
    assert back["wer.es"].difference.is_significant
    same = changes(first, first)
    assert not any(change.difference.is_significant for change in same)
    assert [row[-1] for row in table(same).rows] == ["no difference seen"] * 3


def test_only_what_both_have_counts(tmp_path: Path) -> None:
    first, second = run(tmp_path / "a", 0), run(tmp_path / "b", 0, first=30)
    assert {change.difference.num for change in changes(first, second)} == {10}
    assert changes(first, run(tmp_path / "c", 0, first=100)) == []


def test_the_newest_configuration_of_a_folder_counts(tmp_path: Path) -> None:
    made = run(tmp_path / "a", 40)
    made.begin("stt", {"model": "other"}, {"commands": ["test"]})
    assert made.records("stt") == []
