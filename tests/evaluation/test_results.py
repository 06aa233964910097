"""A run that was cut off goes on, and loses nothing."""

from pathlib import Path

from evaluation.results import Results, fingerprint, read


def test_what_was_measured_is_not_measured_again(tmp_path: Path) -> None:
    path = tmp_path / "stt.jsonl"
    Results(path, "one").append("a", {"heard": "हाँ"})
    again = Results(path, "one")
    assert again.pending(["a", "b"], str) == ["b"]
    assert again.records == [{"key": "a", "configuration": "one", "heard": "हाँ"}]


def test_another_configuration_measures_anew_and_keeps_the_old(tmp_path: Path) -> None:
    path = tmp_path / "stt.jsonl"
    Results(path, "one").append("a", {"heard": "yes"})
    other = Results(path, "two")
    assert not other.has("a")
    other.append("a", {"heard": "no"})
    assert [record["heard"] for record in read(path)] == ["yes", "no"]
    assert [record["heard"] for record in Results(path, "one").records] == ["yes"]


def test_a_line_that_was_cut_off_is_measured_again_and_the_next_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "stt.jsonl"
    results = Results(path, "one")
    results.append("a", {"heard": "yes"})
    results.append("b", {"heard": "no"})
    path.write_bytes(path.read_bytes()[:-9])
    resumed = Results(path, "one")
    assert resumed.pending(["a", "b"], str) == ["b"]
    resumed.append("b", {"heard": "no"})
    assert [record["key"] for record in read(path)] == ["a", "b"]


def test_the_last_line_of_a_key_counts_in_the_place_of_the_first(tmp_path: Path) -> None:
    path = tmp_path / "stt.jsonl"
    results = Results(path, "one")
    for key, heard in (("a", "yes"), ("b", "no"), ("a", "yes, please")):
        results.append(key, {"heard": heard})
    for each in (results, Results(path, "one")):
        assert [record["heard"] for record in each.records] == ["yes, please", "no"]
    assert results.get("c") is None


def test_any_change_of_the_configuration_is_seen() -> None:
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": 2})
