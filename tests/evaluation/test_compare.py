"""Two runs side by side."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from evaluation.compare import Change, changes, table
from evaluation.results import Record
from evaluation.run_folder import RunFolder

SAID = "el lunes a las dos"
WRONG = "el lunes a los tres"


def record(number: int, *, is_wrong: bool, condition: str = "clean", **more: Any) -> Record:
    return {
        "dataset": "set",
        "clip": f"es-{number}",
        "condition": condition,
        "language": "es",
        "said": SAID,
        "heard": WRONG if is_wrong else SAID,
        "heard_language": "es",
        "audio_seconds": 2.0,
        "seconds": 0.1,
        **more,
    }


def made(folder: Path, records: Sequence[Record], part: str = "stt") -> RunFolder:
    run_folder = RunFolder(folder)
    run_folder.begin(part, {"model": folder.name}, {"commands": ["test"]})
    results = run_folder.results(part)
    for each in records:
        kind = each.get("voice") or each["condition"]
        results.append(f"{each['dataset']}/{each['clip']}/{kind}", each)
    return run_folder


def run(folder: Path, num_wrong: int, seconds: float = 0.1, first: int = 0) -> RunFolder:
    """Forty recordings, of which some are misheard."""
    numbers = range(first, first + 40)
    return made(folder, [record(n, is_wrong=n < num_wrong, seconds=seconds) for n in numbers])


def by_name(first: RunFolder, second: RunFolder) -> dict[str, Change]:
    return {change.name: change for change in changes(first, second)}


def verdicts(first: RunFolder, second: RunFolder) -> dict[str, str]:
    return {row[0]: row[-1] for row in table(changes(first, second)).rows}


def test_a_clear_change_is_significant_and_none_is_not(tmp_path: Path) -> None:
    first, second = run(tmp_path / "a", 2), run(tmp_path / "b", 20, seconds=0.2)
    found = by_name(first, second)
    assert {"wer.es", "wer.es.set", "wer.all", "rtf"} <= set(found)
    assert found["wer.es"].first == pytest.approx(2 * 2 / 200)
    assert found["wer.es"].second == pytest.approx(20 * 2 / 200)
    assert found["wer.es"].is_worse
    assert found["rtf"].difference.value == pytest.approx(0.05)
    back = by_name(second, first)
    assert not back["wer.es"].is_worse
    assert back["wer.es"].difference.is_significant
    same = changes(first, first)
    assert not any(change.difference.is_significant for change in same)
    assert {row[-1] for row in table(same).rows} == {"no difference seen"}


def test_only_what_both_have_counts(tmp_path: Path) -> None:
    first, second = run(tmp_path / "a", 0), run(tmp_path / "b", 0, first=30)
    assert {change.difference.num for change in changes(first, second)} == {10}
    assert changes(first, run(tmp_path / "c", 0, first=100)) == []


def test_the_newest_configuration_of_a_folder_counts(tmp_path: Path) -> None:
    folder = run(tmp_path / "a", 40)
    folder.begin("stt", {"model": "other"}, {"commands": ["test"]})
    assert folder.records("stt") == []


def heard_under_two_conditions(folder: Path, wrong: Sequence[int]) -> RunFolder:
    """Forty recordings as they are, all heard right, and over the telephone, some not."""
    clean = [record(n, is_wrong=False) for n in range(40)]
    line = [record(n, is_wrong=n in wrong, condition="telephone") for n in range(40)]
    return made(folder, [*clean, *line])


def test_a_name_is_the_same_quantity_as_in_the_report(tmp_path: Path) -> None:
    """Of recordings as they are; those of a condition, and of a set, by their names."""
    first = heard_under_two_conditions(tmp_path / "a", [])
    second = heard_under_two_conditions(tmp_path / "b", range(30))
    found = by_name(first, second)
    assert (found["wer.es"].second, found["wer.es"].difference.num) == (0.0, 40)
    assert found["wer.es.telephone"].is_worse
    figures = second.document("Title", []).figures
    for name, change in found.items():
        if name != "rtf":
            assert change.second == pytest.approx(figures[name].value), name


def test_voices_are_compared_by_the_names_of_the_report(tmp_path: Path) -> None:
    signal: dict[str, Any] = {"first_audio_seconds": 0.1, "level_db": -20.0, "faults": []}
    records = [
        record(n, is_wrong=voice == "espeak", voice=voice, **signal)
        for n in range(20)
        for voice in ("starter-es", "espeak")
    ]
    folder = made(tmp_path / "a", records, "tts")
    found = by_name(folder, folder)
    assert set(found) == {f"tts.wer.{v}.{g}" for v in ("starter", "espeak") for g in ("es", "all")}
    assert found["tts.wer.espeak.es"].difference.num == 20
    assert set(found) <= set(folder.document("Title", []).figures)


def test_a_busier_machine_is_no_worse_model(tmp_path: Path) -> None:
    first, second = run(tmp_path / "a", 2), run(tmp_path / "b", 2, seconds=0.4)
    rtf = by_name(first, second)["rtf"]
    assert rtf.difference.is_significant
    assert not rtf.is_worse
    assert verdicts(first, second)["rtf"] == "slower"
    assert verdicts(second, first)["rtf"] == "quicker"


def test_the_conditions_of_a_recording_are_one_pair_of_times(tmp_path: Path) -> None:
    first, second = (heard_under_two_conditions(tmp_path / name, []) for name in "ab")
    assert by_name(first, second)["rtf"].difference.num == 40


def test_a_few_pairs_that_differ_prove_nothing(tmp_path: Path) -> None:
    first = run(tmp_path / "none", 0)
    for number in (1, 5):
        second = run(tmp_path / str(number), number)
        assert not by_name(first, second)["wer.es"].is_worse
        assert verdicts(first, second)["wer.es"] == "too few differ"
    six = run(tmp_path / "6", 6)
    assert by_name(first, six)["wer.es"].is_worse
    assert verdicts(first, six)["wer.es"] == "worse"


@pytest.mark.parametrize("change", [{"sha256": "other"}, {"said": "el martes a las dos"}])
def test_another_recording_or_transcript_is_no_pair(change: dict[str, Any], tmp_path: Path) -> None:
    own = [record(n, is_wrong=False, sha256=f"{n}") for n in range(3)]
    before_it_was_noted = {name: value for name, value in own[2].items() if name != "sha256"}
    others = [own[0], {**own[1], **change}, before_it_was_noted]
    found = by_name(made(tmp_path / "a", own), made(tmp_path / "b", others))
    assert found["wer.es"].difference.num == 2
