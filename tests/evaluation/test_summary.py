"""Percentiles per language and over all, and their table."""

from evaluation.summary import ALL, Figure, summarize, table
from evaluation.turns import Turn


def turn(language: str, transcript_ms: float, voice_to_voice_ms: float | None) -> Turn:
    return Turn(
        language,
        "said",
        milestones_ms={"speech_end": 0.0, "transcript": transcript_ms},
        voice_to_voice_ms=voice_to_voice_ms,
    )


TURNS = [turn("en", 100, 500), turn("en", 200, 700), turn("hi", 400, None)]


def test_figures_are_per_language_and_over_all() -> None:
    summary = summarize(TURNS)
    assert list(summary) == ["en", "hi", ALL]
    assert summary["en"]["transcript"] == Figure(150.0, 195.0, 2)
    assert summary[ALL]["transcript"] == Figure(200.0, 380.0, 3)
    assert summary[ALL]["voice_to_voice"] == Figure(600.0, 690.0, 2)
    assert "voice_to_voice" not in summary["hi"]
    assert "speech_end" not in summary[ALL]


def test_the_table_has_a_row_per_milestone_and_says_what_is_missing() -> None:
    lines = table(summarize(TURNS)).splitlines()
    assert lines[0].split() == ["P50", "/", "P95", "in", "ms", "en", "hi", "all"]
    assert lines[1].split() == [
        "transcript",
        "150",
        "/",
        "195",
        "400",
        "/",
        "400",
        "200",
        "/",
        "380",
    ]
    assert lines[-1].split() == [
        "caller",
        "hears",
        "answer",
        "600",
        "/",
        "690",
        "-",
        "600",
        "/",
        "690",
    ]
