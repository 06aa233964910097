"""What the ablation's answers say of every way: right, in the caller's language, and how soon."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from evaluation.language_check import guess_languages
from evaluation.metrics.bootstrap import Interval, paired_difference, share
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

_ALL, _DIRECT = "all", "direct"

_ABOUT = """The same questions by every way to an answer. Right: with Wilson's 95% interval; the
difference to the direct way is over the same questions, in points, with a paired bootstrap. First
clause: from the question to the first clause that can be spoken, one question at a time. "In the
language": answers of more than three words that read like the language of the question, by a check
that shares nothing with the server's own."""

Groups = Mapping[tuple[str, str], Sequence[Record]]  # (language, way) -> answers


def summarise(answers: Sequence[Record]) -> Part:
    """Of the records of `evaluation.ablation.answers`."""
    if not answers:
        return Part()
    groups = _groups(answers)
    header = [
        *("language", "way", "questions", "right", "to direct", "first clause P50 / P95 ms"),
        *("added P50 ms", "in the language", "fell back", "failed"),
    ]
    rows = [[*key, *_cells(group, groups)] for key, group in groups.items()]
    right: dict[str, dict[str, Interval]] = {}
    for (language, way), group in groups.items():
        right.setdefault(language, {})[way] = _right(group)
    times = {way: _first_ms(group) for (language, way), group in groups.items() if language == _ALL}
    section = Section(
        "Language model and routing",
        _ABOUT,
        [Table(header, rows)],
        [Bars("Right answers", right), Distribution("Time to the first clause", times)],
    )
    return Part(sections=[section], figures=list(_figures(groups)))


def _groups(answers: Sequence[Record]) -> Groups:
    languages = dict.fromkeys(answer["language"] for answer in answers)
    ways = dict.fromkeys(answer["way"] for answer in answers)
    keys: list[tuple[str, Callable[[Record], bool]]] = [
        *((name, lambda answer, name=name: answer["language"] == name) for name in languages),
        (_ALL, lambda _: True),
    ]
    groups = {
        (name, way): [each for each in answers if each["way"] == way and belongs(each)]
        for name, belongs in keys
        for way in ways
    }
    return {key: group for key, group in groups.items() if group}


def _cells(group: Sequence[Record], groups: Groups) -> list[str]:
    pairs = _pairs(group, groups)
    both = [[each["first_clause_seconds"] for each in pair] for pair in pairs]
    added = [1000 * (own - direct) for own, direct in both if None not in (own, direct)]
    times = _first_ms(group)
    in_language = _in_language(group)
    return [
        str(len(group)),
        with_interval(_right(group)),
        _gain(pairs) if pairs else "-",
        milliseconds(*np.percentile(times, [50, 95])) if times else "-",
        f"{np.median(added):+.0f}" if added else "-",
        percent(in_language.value, 0) if in_language else "-",
        str(sum(bool(answer["fallback"]) for answer in group)),
        str(sum(bool(answer["error"]) for answer in group)),
    ]


def _right(group: Sequence[Record]) -> Interval:
    return share([bool(answer["is_right"]) for answer in group])


def _in_language(group: Sequence[Record]) -> Interval | None:
    judged = [answer for answer in group if len(answer["answer"].split()) > 3]
    if not judged:
        return None
    return share([each["language"] in guess_languages(each["answer"]) for each in judged])


def _first_ms(group: Sequence[Record]) -> list[float]:
    times = (answer["first_clause_seconds"] for answer in group)
    return [1000 * seconds for seconds in times if seconds is not None]


def _pairs(group: Sequence[Record], groups: Groups) -> list[tuple[Record, Record]]:
    """Each answer of another way with the direct one to the same question."""
    direct = {_question(answer): answer for answer in groups.get((_ALL, _DIRECT), ())}
    others = (answer for answer in group if answer["way"] != _DIRECT)
    return [(answer, direct[_question(answer)]) for answer in others if _question(answer) in direct]


def _question(answer: Record) -> tuple[str, str]:
    return answer["language"], answer["id"]


def _gain(pairs: Sequence[tuple[Record, Record]]) -> str:
    own, direct = zip(*((bool(a["is_right"]), bool(b["is_right"])) for a, b in pairs), strict=True)
    return points(paired_difference(direct, own, [1.0] * len(pairs)))


def _figures(groups: Groups) -> Iterator[Figure]:
    for (language, way), group in groups.items():
        name = f"{way.replace(' ', '-')}.{language}"
        yield Figure.of(f"routing.right.{name}", _right(group))
        in_language = _in_language(group)
        if in_language:
            yield Figure.of(f"routing.in_language.{name}", in_language)
        times = _first_ms(group)
        if times:
            p50 = float(np.median(times))
            yield Figure(f"routing.first_clause_p50_ms.{name}", p50, num=len(times))
