"""The scenarios' figures by tau-voice's names, and the waterfall of a turn."""

import json
from pathlib import Path

import pytest

from evaluation.conversation.summary import DEMO_FILE, SCENARIOS_FILE, summarise
from evaluation.report.model import Part, Waterfall

FINDINGS = [
    ("response_rate", 1.0),
    ("response_rate", 0.0),
    ("response_latency_ms", 400.0),
    ("response_latency_ms", 600.0),
    ("missed_interruption_rate", 0.0),
    ("missed_interruption_rate", 0.0),
    ("missed_interruption_rate", 1.0),
    ("missed_interruption_rate", 0.0),
    ("commit_ms", 700.0),
    ("agent_interruption_rate", 0.0),
    ("false_interruption_rate", 0.0),
    ("false_interruption_rate", 1.0),
]
TURN = {
    "language": "en",
    "problems": [],
    "voice_to_voice_ms": 450.0,
    "milestones_ms": {
        "transcript": 230.0,
        "first_token": 240.0,
        "first_clause": 250.0,
        "first_audio_synthesized": 260.0,
        "turn_confirmed": 330.0,
        "first_audio_sent": 331.0,
    },
}


def write(path: Path, data: object) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(data), encoding="utf-8")


@pytest.fixture
def part(tmp_path: Path) -> Part:
    findings = [{"figure": name, "value": value} for name, value in FINDINGS]
    write(tmp_path / SCENARIOS_FILE, {"takes": [{"findings": findings}]})
    silent = {"language": "hi", "problems": ["silence"], "voice_to_voice_ms": None}
    write(tmp_path / DEMO_FILE, {"turns": [TURN, {**silent, "milestones_ms": {}}]})
    return summarise(tmp_path)


def test_metrics_have_tau_voices_names(part: Part) -> None:
    rows = {row[0]: row[1:] for row in part.sections[0].tables[0].rows}
    assert rows["response latency"] == ["P50 / P95 500 / 590 ms", "2"]
    assert rows["yield rate (within 2.0 s)"][0].startswith("75.0%")
    assert rows["yield latency"] == ["P50 / P95 700 / 700 ms", "1"]
    assert rows["selectivity"][0].startswith("50.0%")
    figures = {figure.name: figure.value for figure in part.figures}
    assert figures["conversation.response_rate"] == 0.5
    assert figures["conversation.yield_rate"] == 0.75
    assert figures["conversation.agent_interruption_rate"] == 0.0
    assert figures["conversation.voice_to_voice_p50_ms"] == 450.0
    assert figures["conversation.turns_right"] == 0.5


def test_a_step_begins_when_all_that_it_waits_for_is_there(part: Part) -> None:
    (waterfall,) = [plot for plot in part.sections[1].plots if isinstance(plot, Waterfall)]
    steps = {name: (start, end) for name, start, end in waterfall.steps}
    assert steps["transcript"] == (0.0, 230.0)
    assert steps["first token"] == (230.0, 240.0)
    assert steps["first audio sent"] == (330.0, 331.0)
    assert steps["caller hears it"] == (331.0, 450.0)


def test_nothing_played_is_no_section(tmp_path: Path) -> None:
    assert summarise(tmp_path) == Part(sections=[], figures=[])
