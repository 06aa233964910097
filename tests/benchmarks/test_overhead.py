"""What the server costs, with a few calls."""

from pathlib import Path

from benchmarks import overhead


def test_calls_on_one_core_are_measured_while_all_are_there(tmp_path: Path) -> None:
    found = overhead.measure(tmp_path, 2, 9.0)
    assert found.streaming.calls == 2
    assert found.streaming.failures == ()
    assert 0.0 < found.cores < 1.0
    assert "calls that stream on one core" in found.table()
    assert found.to_json()["added_ms"]["count"] > 0
