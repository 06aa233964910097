"""What the scenarios and the demonstration say, by the names that tau-voice has for it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from evaluation.metrics.bootstrap import share
from evaluation.report.model import (
    Distribution,
    Figure,
    Part,
    Section,
    Table,
    Waterfall,
    milliseconds,
    with_interval,
)

SCENARIOS_FILE = Path("scenarios") / "figures.json"
DEMO_FILE = Path("demo") / "demo.json"

_ABOUT = """Scripted callers over the server's WebSocket, judged by the recorded audio and the
events. Names and windows are those of tau-voice: an interruption is yielded to within 2.0 s, a
sound or a backchannel is told from one within 1.0 s. Intervals are over single acts."""

_ABOUT_TURNS = """Turns of the demonstration, in real time. Voice to voice: from the last voiced
sample of the caller to the first sound of the answer, both in the recorded audio. The other times
are the server's own record of the turn. Bars: medians, from the end of the caller's speech."""


@dataclass(frozen=True, slots=True)
class _Metric:
    """One of tau-voice's, and the scenarios' figure that it is made from."""

    title: str
    name: str  # of the figure of the report
    source: str
    kind: Literal["share", "opposite", "ms"]  # opposite: one minus the share


_METRICS = (
    _Metric("response rate", "response_rate", "response_rate", "share"),
    _Metric("response latency", "response_latency", "response_latency_ms", "ms"),
    _Metric("yield rate (within 2.0 s)", "yield_rate", "missed_interruption_rate", "opposite"),
    _Metric("yield latency", "yield_latency", "commit_ms", "ms"),
    _Metric("audio paused after", "pause", "pause_ms", "ms"),
    _Metric(
        "agent-interruption rate", "agent_interruption_rate", "agent_interruption_rate", "share"
    ),
    _Metric("cut-in rate at pauses", "cut_in_rate", "cut_in_rate", "share"),
    _Metric("selectivity", "selectivity", "false_interruption_rate", "opposite"),
    _Metric("draft hit rate", "draft_hit_rate", "draft_hit_rate", "share"),
    _Metric("added latency", "added_latency", "added_latency_ms", "ms"),
)

_STEPS = (  # of a turn: what it waits for, and its end
    ("transcript", (), "transcript"),
    ("first token", ("transcript",), "first_token"),
    ("first clause", ("first_token",), "first_clause"),
    ("first audio made", ("first_clause",), "first_audio_synthesized"),
    ("turn confirmed", (), "turn_confirmed"),
    ("first audio sent", ("first_audio_synthesized", "turn_confirmed"), "first_audio_sent"),
    ("caller hears it", ("first_audio_sent",), "voice_to_voice"),
)


def summarise(folder: Path) -> Part:
    """Of what the scenarios and the demonstration left in a folder, as far as it is there."""
    scenarios, demo = _load(folder / SCENARIOS_FILE), _load(folder / DEMO_FILE)
    sections, figures = [], []
    if scenarios:
        values = _values(scenarios["takes"])
        sections.append(_scenario_section(values, len(scenarios["takes"])))
        figures += list(_figures(values))
    if demo:
        sections.append(_turns_section(demo["turns"]))
        figures += list(_turn_figures(demo["turns"]))
    return Part(sections=sections, figures=figures)


def _load(path: Path) -> dict[str, Any] | None:
    if not path.exists():
        return None
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data


def _values(takes: Sequence[Mapping[str, Any]]) -> dict[str, list[float]]:
    """Figure of the scenarios -> its values over all acts."""
    values: dict[str, list[float]] = {}
    for take in takes:
        for finding in take["findings"]:
            values.setdefault(finding["figure"], []).append(float(finding["value"]))
    return values


def _of(metric: _Metric, values: Mapping[str, Sequence[float]]) -> list[float]:
    own = values.get(metric.source, ())
    return [1 - value for value in own] if metric.kind == "opposite" else list(own)


def _scenario_section(values: Mapping[str, Sequence[float]], num_calls: int) -> Section:
    rows = []
    for metric in _METRICS:
        own = _of(metric, values)
        if own:
            rows.append([metric.title, _cell(metric, own), str(len(own))])
    times = {
        metric.title: own
        for metric in _METRICS
        if metric.kind == "ms" and (own := _of(metric, values))
    }
    return Section(
        "Conversation",
        f"{_ABOUT}\n\n{num_calls} calls.",
        [Table(["metric", "value", "acts"], rows)],
        [Distribution("Latencies in conversation", times)] if times else [],
    )


def _cell(metric: _Metric, values: Sequence[float]) -> str:
    if metric.kind == "ms":
        p50, p95 = np.percentile(values, [50, 95])
        return f"P50 / P95 {milliseconds(float(p50), float(p95))} ms"
    return with_interval(share([value == 1.0 for value in values]))


def _figures(values: Mapping[str, Sequence[float]]) -> Iterator[Figure]:
    for metric in _METRICS:
        own = _of(metric, values)
        if own and metric.kind == "ms":
            yield from _percentile_figures(f"conversation.{metric.name}", own)
        elif own:
            yield Figure.of(f"conversation.{metric.name}", share([value == 1.0 for value in own]))


def _percentile_figures(name: str, values_ms: Sequence[float]) -> Iterator[Figure]:
    for percentile, value in zip((50, 95), np.percentile(values_ms, [50, 95]), strict=True):
        yield Figure(f"{name}_p{percentile}_ms", float(value), num=len(values_ms))


# ---- turns of the demonstration -----------------------------------------------------------------


def _turns_section(turns: Sequence[Mapping[str, Any]]) -> Section:
    languages = dict.fromkeys(turn["language"] for turn in turns)
    rows = [
        [language, *_turn_cells([turn for turn in turns if turn["language"] == language])]
        for language in languages
    ]
    header = ["language", "turns", "answered rightly", "voice to voice P50 / P95 ms"]
    times = {
        language: _voice_to_voice([turn for turn in turns if turn["language"] == language])
        for language in languages
    }
    return Section(
        "Voice to voice",
        _ABOUT_TURNS,
        [Table(header, [*rows, ["all", *_turn_cells(turns)]])],
        [
            Waterfall("A turn, from the end of the caller's speech", _steps(turns)),
            Distribution("Voice to voice", times),
        ],
    )


def _turn_cells(turns: Sequence[Mapping[str, Any]]) -> list[str]:
    times = _voice_to_voice(turns)
    right = sum(not turn["problems"] for turn in turns)
    p50, p95 = np.percentile(times, [50, 95]) if times else (np.nan, np.nan)
    return [str(len(turns)), str(right), milliseconds(float(p50), float(p95)) if times else "-"]


def _voice_to_voice(turns: Sequence[Mapping[str, Any]]) -> list[float]:
    times = (turn["voice_to_voice_ms"] for turn in turns)
    return [float(time_ms) for time_ms in times if time_ms is not None]


def _steps(turns: Sequence[Mapping[str, Any]]) -> list[tuple[str, float, float]]:
    """Medians of when each step began (all that it waits for was there) and ended."""
    reached = [
        {**turn["milestones_ms"], "voice_to_voice": turn["voice_to_voice_ms"]} for turn in turns
    ]
    steps = []
    for title, after, name in _STEPS:
        whole = [r for r in reached if all(r.get(each) is not None for each in (*after, name))]
        if whole:
            starts = [max([0.0, *(row[each] for each in after)]) for row in whole]
            ends = [row[name] for row in whole]
            steps.append((title, float(np.median(starts)), float(np.median(ends))))
    return steps


def _turn_figures(turns: Sequence[Mapping[str, Any]]) -> Iterator[Figure]:
    times = _voice_to_voice(turns)
    if times:
        yield from _percentile_figures("conversation.voice_to_voice", times)
    if turns:
        right = share([not turn["problems"] for turn in turns])
        yield Figure.of("conversation.turns_right", right)
