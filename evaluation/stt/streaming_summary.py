"""What calls say of the recognizer while it streams: errors, delay of words, flicker."""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

import numpy as np

from evaluation.metrics.bootstrap import Difference, Interval, paired_difference, ratio
from evaluation.normalisers import normalise
from evaluation.report.model import (
    Bars,
    Distribution,
    Figure,
    Part,
    Section,
    Table,
    milliseconds,
    percent,
    points,
    with_interval,
)
from evaluation.results import Record
from evaluation.stt.heard import Heard, by_language, headline, heard_of, word_error_rate

_ABOUT = """Every recording spoken in real time into a call of its own, over the server's WebSocket.
"Whole" is the same recording in one piece. A word's delay runs from its end in the recording to the
moment at which the caller is shown it, partial or with the transcript; where a set does not say
when its words end, they are spread evenly, by their letters, over the speech. Flicker is the
share of words shown while the caller spoke that the transcript does not have there. Synthetic sets
count where there are no others."""


def summarise(records: Sequence[Record], whole: Sequence[Record]) -> Part:
    """Of the records of `evaluation.stt.streaming`, beside those of the same clips whole."""
    if not records:
        return Part()
    items = headline(heard_of(records))
    keys = {item["key"] for item in items}
    beside = {item["key"]: item for item in heard_of([r for r in whole if r["key"] in keys])}
    groups = by_language(items)
    delays = {language: _delays_ms(group) for language, group in groups.items()}
    header = [
        *("language", "recordings", "WER", "whole", "difference", "cut in two"),
        *("word delay P50 / P95 ms", "transcript P50 / P95 ms", "flicker"),
    ]
    rows = [_row(language, group, beside, delays[language]) for language, group in groups.items()]
    rates = {language: _rates(group, beside) for language, group in groups.items()}
    return Part(
        sections=[
            Section(
                "Speech to text while it is spoken",
                _ABOUT,
                [Table(header, rows)],
                [
                    Bars("Word error rate, streamed and whole", rates),
                    Distribution("Delay of a word", delays),
                ],
            )
        ],
        figures=[*_word_errors(items), *_figures(groups, delays)],
    )


def word_error_groups(items: Sequence[Heard]) -> dict[str, list[Heard]]:
    """The name of every word error rate of the report -> what it is taken of."""
    groups = by_language(headline(items))
    return {f"streaming.wer.{language}": group for language, group in groups.items()}


def _rates(group: Sequence[Heard], beside: dict[str, Heard]) -> dict[str, Interval]:
    whole = [beside[item["key"]] for item in group if item["key"] in beside]
    rates = {"streamed": word_error_rate(group)}
    return {**rates, "whole": word_error_rate(whole)} if whole else rates


def _row(
    language: str, group: Sequence[Heard], beside: dict[str, Heard], delays_ms: Sequence[float]
) -> list[str]:
    pairs = [(item, beside[item["key"]]) for item in group if item["key"] in beside]
    cut = sum(len(item["turns"]) > 1 for item in group)
    return [
        language,
        str(len(group)),
        with_interval(word_error_rate(group)),
        percent(word_error_rate([whole for _, whole in pairs]).value) if pairs else "-",
        points(_difference(pairs)) if pairs else "-",
        str(cut),
        _percentiles(delays_ms),
        _percentiles(_final_ms(group)),
        percent(_flicker(group).value),
    ]


def _difference(pairs: Sequence[tuple[Heard, Heard]]) -> Difference:
    """Streamed minus whole."""
    return paired_difference(
        [whole.words.errors.wrong for _, whole in pairs],
        [item.words.errors.wrong for item, _ in pairs],
        [item.words.errors.said for item, _ in pairs],
    )


def _percentiles(values_ms: Sequence[float]) -> str:
    if not values_ms:
        return "-"
    p50, p95 = np.percentile(values_ms, [50, 95])
    return milliseconds(float(p50), float(p95))


def _final_ms(group: Sequence[Heard]) -> list[float]:
    """From the end of the speech to the last transcript."""
    return [
        1000 * (item["turns"][-1]["final_seconds"] - item["speech_end_seconds"])
        for item in group
        if item["turns"]
    ]


def _delays_ms(group: Sequence[Heard]) -> list[float]:
    return [delay for item in group for delay in word_delays_ms(item)]


def word_delays_ms(item: Heard) -> Iterator[float]:
    """Of the words that were said and shown: when shown minus when said."""
    said = item.record["said"].split()
    ends = _word_ends(item, said)
    shown = list(_shown(item))
    words = [[normalise(word, item.language) for word in row] for row in (said, _first(shown))]
    for block in SequenceMatcher(None, words[0], words[1], autojunk=False).get_matching_blocks():
        for offset in range(block.size):
            if words[0][block.a + offset]:
                yield 1000 * (shown[block.b + offset][1] - ends[block.a + offset])


def _first(shown: Sequence[tuple[str, float]]) -> list[str]:
    return [word for word, _ in shown]


def _shown(item: Heard) -> Iterator[tuple[str, float]]:
    """The words of the transcript, each with the time at which it was first to be seen."""
    for turn in item["turns"]:
        shown = turn["shown"]
        for index, word in enumerate(turn["final"].split()):
            yield word, shown[index][1] if index < len(shown) else turn["final_seconds"]


def _word_ends(item: Heard, said: Sequence[str]) -> Sequence[float]:
    known: Sequence[float] = item["word_ends_seconds"]
    if len(known) == len(said):
        return known
    lengths = np.cumsum([len(word) for word in said])
    ends: list[float] = (lengths / lengths[-1] * item["speech_end_seconds"]).tolist()
    return ends


def _flicker(group: Sequence[Heard]) -> Interval:
    changed, shown = [], []
    for item in group:
        for turn in item["turns"]:
            early = [word for word, _ in turn["shown"]]
            final = turn["final"].split()
            changed.append(float(_num_changed(early, final, item.language)))
            shown.append(float(len(early)))
    return ratio(changed, shown) if any(shown) else Interval(0.0, 0.0, 0.0, 0)


def _num_changed(early: Sequence[str], final: Sequence[str], language: str) -> int:
    pairs = zip(early, [*final, *[""] * len(early)], strict=False)
    return sum(normalise(one, language) != normalise(other, language) for one, other in pairs)


def _word_errors(items: Sequence[Heard]) -> Iterator[Figure]:
    for name, group in word_error_groups(items).items():
        yield Figure.of(name, word_error_rate(group))


def _figures(groups: dict[str, list[Heard]], delays: dict[str, list[float]]) -> Iterator[Figure]:
    for language, group in groups.items():
        yield Figure.of(f"streaming.flicker.{language}", _flicker(group))
        if delays[language]:
            p50, p95 = np.percentile(delays[language], [50, 95])
            num = len(delays[language])
            yield Figure(f"streaming.word_delay_p50_ms.{language}", float(p50), num=num)
            yield Figure(f"streaming.word_delay_p95_ms.{language}", float(p95), num=num)
