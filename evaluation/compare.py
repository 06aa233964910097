"""Two runs side by side: what is different, and whether that is more than chance.

Only what both have measured counts, clip by clip: a pair is the same recording with the same
transcript under the same condition, or the same text in the same voice. Figures have the names that
the report gives them, and are of the same recordings.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from evaluation.metrics.bootstrap import Difference, paired_difference
from evaluation.report.model import Table
from evaluation.results import Record
from evaluation.run_folder import RunFolder
from evaluation.stt import heard, streaming_summary
from evaluation.stt.heard import Heard, heard_of
from evaluation.tts import summary as tts

Groups = Mapping[str, Sequence[Heard]]  # name of a figure -> what it is taken of

_PARTS: Mapping[str, Callable[[Sequence[Heard]], Groups]] = {
    "stt": heard.word_error_groups,
    "streaming": streaming_summary.word_error_groups,
    "tts": tts.word_error_groups,
}


@dataclass(frozen=True, slots=True)
class Change:
    """One figure in both runs; less is better in all of them."""

    name: str
    first: float
    second: float
    difference: Difference  # second minus first
    is_share: bool = True  # else seconds for a second of audio

    @property
    def is_worse(self) -> bool:
        """Significantly. Times never are: those of two runs are the machine's load as well."""
        return self.is_share and self.difference.is_significant and self.difference.value > 0


def changes(first: RunFolder, second: RunFolder) -> list[Change]:
    """All figures that both runs can be compared in."""
    found: list[Change] = []
    for part, groups_of in _PARTS.items():
        groups = [groups_of(heard_of(run.records(part))) for run in (first, second)]
        found += _word_errors(*groups)
    found += _speed(first.records("stt"), second.records("stt"))
    return found


def _word_errors(first: Groups, second: Groups) -> Iterator[Change]:
    for name, group in first.items():
        others = {item["key"]: item for item in second.get(name, ())}
        told = [(item, others[item["key"]]) for item in group if item["key"] in others]
        pairs = [
            (one, other)
            for one, other in told
            if one.said == other.said and _is_same_audio(one.record, other.record)
        ]
        if pairs:
            wrong = [[float(pair[side].words.errors.wrong) for pair in pairs] for side in (0, 1)]
            said = [float(one.words.errors.said) for one, _ in pairs]
            yield _change(name, wrong, said)


def _is_same_audio(one: Record, other: Record) -> bool:
    """Where one of the two does not say, it is taken to be."""
    return len({record["sha256"] for record in (one, other) if "sha256" in record}) < 2


def _change(
    name: str,
    numerators: Sequence[Sequence[float]],
    below: Sequence[float],
    *,
    is_share: bool = True,
) -> Change:
    first, second = numerators
    difference = paired_difference(first, second, below)
    return Change(name, sum(first) / sum(below), sum(second) / sum(below), difference, is_share)


def _speed(first: Sequence[Record], second: Sequence[Record]) -> Iterator[Change]:
    """Over all conditions of a recording, which is one pair."""
    others = {record["key"]: record for record in second}
    clips: dict[tuple[str, str], list[float]] = {}  # seconds in both runs, seconds of audio
    for one in first:
        if one["key"] in others and _is_same_audio(one, others[one["key"]]):
            sums = clips.setdefault((one["dataset"], one["clip"]), [0.0, 0.0, 0.0])
            times = (one["seconds"], others[one["key"]]["seconds"], one["audio_seconds"])
            for index, seconds in enumerate(times):
                sums[index] += seconds
    if clips:
        *seconds_of_both, audio = zip(*clips.values(), strict=True)
        yield _change("rtf", seconds_of_both, audio, is_share=False)


def table(found: Sequence[Change]) -> Table:
    """The changes; shares in points of a hundred."""
    header = ["figure", "pairs", "A", "B", "B - A [95%]", "p", ""]
    return Table(header, [_row(change) for change in found])


def _row(change: Change) -> list[str]:
    difference = change.difference
    scale, form = (100, "{:+.2f}") if change.is_share else (1, "{:+.4f}")
    texts = [form.format(scale * v) for v in (difference.value, difference.low, difference.high)]
    absolute = form.replace("+", "") + ("%" if change.is_share else "")
    return [
        change.name,
        str(difference.num),
        absolute.format(scale * change.first),
        absolute.format(scale * change.second),
        f"{texts[0]} [{texts[1]}, {texts[2]}]",
        "-" if difference.is_too_few else f"{difference.p_value:.3f}",
        _verdict(change),
    ]


def _verdict(change: Change) -> str:
    difference = change.difference
    if difference.is_too_few:
        return "too few differ"
    if not difference.is_significant:
        return "no difference seen"
    worse, better = ("worse", "better") if change.is_share else ("slower", "quicker")
    return worse if difference.value > 0 else better
