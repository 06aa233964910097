"""What the round trip says of the voices."""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from evaluation.metrics.bootstrap import Interval
from evaluation.report.model import (
    Bars,
    Distribution,
    Figure,
    Part,
    Section,
    Table,
    milliseconds,
    with_interval,
)
from evaluation.results import Record
from evaluation.stt.heard import (
    Heard,
    by,
    by_language,
    character_error_rate,
    heard_of,
    word_error_rate,
)

_ABOUT = """Texts spoken by each voice and written down again by a recognizer that is told the
language. The voice is given what a caller hears, "9:30" in words, and what is heard is put into
words alike. First audio: from the request to the first chunk, one request at a time. Faults:
silence throughout; runs of samples at full scale; more than a second of silence at either end or
between words."""

_OWN = """That is the pipeline's own recognizer, which may have learnt from the same voice: name
another with --judge for a figure that says more."""


def summarise(records: Sequence[Record], judge: str, *, is_own: bool) -> Part:
    """Of the records of `evaluation.tts.round_trip`."""
    if not records:
        return Part()
    items = heard_of(records)
    groups = _groups(items)
    header = [
        *("language", "voice", "texts", "WER, round trip", "CER", "first audio P50 / P95 ms"),
        *("real-time factor", "level dB", "faults"),
    ]
    rows = [[language, voice, *_cells(group)] for (language, voice), group in groups.items()]
    rates: dict[str, dict[str, Interval]] = {}
    for (language, voice), group in groups.items():
        rates.setdefault(language, {})[voice] = word_error_rate(group)
    first_ms = {
        voice: [1000 * item["first_audio_seconds"] for item in group]
        for voice, group in by(items, lambda item: _kind(item["voice"])).items()
    }
    heard_by = f"Heard by {judge}. {_OWN if is_own else ''}"
    section = Section(
        "Text to speech",
        f"{_ABOUT}\n\n{heard_by}",
        [Table(header, rows)],
        [Bars("Word error rate of the round trip", rates), Distribution("First audio", first_ms)],
    )
    rates_by_name = word_error_groups(items).items()
    figures = [Figure.of(name, word_error_rate(group)) for name, group in rates_by_name]
    return Part(sections=[section], figures=[*figures, *_figures(groups)])


def _groups(items: Sequence[Heard]) -> dict[tuple[str, str], list[Heard]]:
    """By language and voice."""
    return {
        (language, voice): group
        for language, own in by_language(items).items()
        for voice, group in by(own, lambda item: _kind(item["voice"])).items()
    }


def word_error_groups(items: Sequence[Heard]) -> dict[str, list[Heard]]:
    """The name of every word error rate of the report -> what it is taken of."""
    groups = _groups(items)
    return {f"tts.wer.{voice}.{language}": own for (language, voice), own in groups.items()}


def _kind(voice: str) -> str:
    """Voices of one family in several languages are one series: "starter-hi" is "starter"."""
    name, dash, language = voice.rpartition("-")
    return name if dash and len(language) == 2 else voice


def _cells(group: Sequence[Heard]) -> list[str]:
    faults = Counter(fault for item in group for fault in item["faults"])
    levels = [item["level_db"] for item in group if item["level_db"] is not None]
    return [
        str(len(group)),
        with_interval(word_error_rate(group)),
        with_interval(character_error_rate(group)),
        milliseconds(*_first_audio_ms(group)),
        f"{_real_time_factor(group):.3f}",
        f"{np.mean(levels):.1f}" if levels else "-",
        ", ".join(f"{count} {fault}" for fault, count in faults.items()) or "none",
    ]


def _first_audio_ms(group: Sequence[Heard]) -> tuple[float, float]:
    p50, p95 = np.percentile([1000 * item["first_audio_seconds"] for item in group], [50, 95])
    return float(p50), float(p95)


def _real_time_factor(group: Sequence[Heard]) -> float:
    audio_seconds = sum(item["audio_seconds"] for item in group)
    return float(sum(item["seconds"] for item in group) / audio_seconds) if audio_seconds else 0.0


def _figures(groups: dict[tuple[str, str], list[Heard]]) -> Iterator[Figure]:
    for (language, voice), group in groups.items():
        name = f"{voice}.{language}"
        p50, p95 = _first_audio_ms(group)
        yield Figure(f"tts.rtf.{name}", _real_time_factor(group), num=len(group))
        yield Figure(f"tts.first_audio_p50_ms.{name}", p50, num=len(group))
        yield Figure(f"tts.first_audio_p95_ms.{name}", p95, num=len(group))
        num_faulty = sum(bool(item["faults"]) for item in group)
        yield Figure(f"tts.faults.{name}", float(num_faulty), num=len(group))
