"""How findings add up to figures and goals."""

from evaluation.scenarios.figures import FIGURES, Finding, Outcome, is_failure, outcomes, table


def over_all(findings: list[Finding]) -> dict[str, Outcome]:
    return {row.figure.name: row for row in outcomes(findings) if not row.label}


def test_a_share_is_that_of_its_findings_and_is_told_by_label_too() -> None:
    findings = [
        Finding("cut_in_rate", 1.0, "400 ms"),
        *[Finding("cut_in_rate", 0.0, "400 ms")] * 2,
        Finding("cut_in_rate", 0.0, "700 ms"),
    ]
    rows = [row for row in outcomes(findings) if row.figure.name == "cut_in_rate"]
    assert [(row.label, row.num_findings) for row in rows] == [
        ("", 4),
        ("400 ms", 3),
        ("700 ms", 1),
    ]
    assert rows[0].values["share"] == 0.25
    assert rows[0].missed
    assert not rows[1].missed  # the goal is of all together


def test_times_have_percentiles_and_miss_a_goal_by_either() -> None:
    slow_tail = [Finding("added_latency_ms", 10.0)] * 9 + [Finding("added_latency_ms", 900.0)]
    row = over_all(slow_tail)["added_latency_ms"]
    assert row.values["p50"] == 10.0
    assert [goal.statistic for goal in row.missed] == ["p95"]


def test_defects_are_always_told_and_what_was_not_measured_misses_no_goal() -> None:
    rows = over_all([])
    assert list(rows) == ["defects"]
    assert not rows["defects"].missed
    assert over_all([Finding("defects", 1.0, "echo", "an error")])["defects"].missed


def test_a_goal_of_at_least_is_missed_from_below() -> None:
    hits = [Finding("draft_hit_rate", 1.0)] * 8
    assert not over_all([*hits, *[Finding("draft_hit_rate", 0.0)] * 2])["draft_hit_rate"].missed
    assert over_all([*hits, *[Finding("draft_hit_rate", 0.0)] * 3])["draft_hit_rate"].missed


def test_the_single_failures_are_those_that_a_goal_forbids() -> None:
    assert is_failure(Finding("missed_interruption_rate", 1.0))
    assert not is_failure(Finding("missed_interruption_rate", 0.0))
    assert is_failure(Finding("draft_hit_rate", 0.0))
    assert is_failure(Finding("commit_ms", 1001.0))
    assert not is_failure(Finding("commit_ms", 999.0))
    assert not is_failure(Finding("right_answer_rate", 0.0))
    assert not is_failure(Finding("not_tested", 1.0))


def test_the_table_has_a_row_for_each_figure_with_goal_and_verdict() -> None:
    text = table(outcomes([Finding("commit_ms", 500.0), Finding("cut_in_rate", 1.0)]))
    lines = {line.split()[0]: line for line in text.splitlines()}
    assert lines["commit_ms"].split("  ")[0] == "commit_ms"
    assert "P50 500 ms, P95 500 ms" in lines["commit_ms"]
    assert lines["commit_ms"].endswith("met")
    assert "100.0% (1)" in lines["cut_in_rate"]
    assert lines["cut_in_rate"].endswith("missed")


def test_every_figure_says_what_it_is() -> None:
    assert all(len(figure.definition) > 20 for figure in FIGURES.values())
