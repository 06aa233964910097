"""Two runs side by side: what is different, and whether that is more than chance.

Only what both have measured counts, clip by clip: a pair is the same recording under the same
condition, or the same text in the same voice.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from evaluation.metrics.bootstrap import Difference, paired_difference
from evaluation.report.model import Table
from evaluation.results import Record
from evaluation.run_folder import RunFolder
from evaluation.stt.heard import Heard, by, by_language, heard_of

Pairs = Sequence[tuple[Heard, Heard]]

_PARTS = {
    "stt": ("wer", lambda item: str(item["condition"])),
    "streaming": ("streaming.wer", lambda item: str(item["condition"])),
    "tts": ("tts.wer", lambda item: str(item["voice"])),
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
        """Significantly."""
        return self.difference.is_significant and self.difference.value > 0


def changes(first: RunFolder, second: RunFolder) -> list[Change]:
    """All figures that both runs can be compared in."""
    found: list[Change] = []
    for part, (name, kind) in _PARTS.items():
        found += _changes(name, kind, first.records(part), second.records(part))
    found += _speed(first.records("stt"), second.records("stt"))
    return found


def _changes(
    name: str,
    kind: Callable[[Heard], str],
    first: Sequence[Record],
    second: Sequence[Record],
) -> Iterator[Change]:
    pairs = _pairs(first, second)
    partner = {id(one): other for one, other in pairs}
    ours = [one for one, _ in pairs]
    for language, group in by_language(ours).items():
        kinds = by(group, kind)
        groups = {"": group, **kinds} if len(kinds) > 1 else {"": group}
        for label, own in groups.items():
            full_name = ".".join(each for each in (name, language, label) if each)
            yield _word_errors(full_name, [(one, partner[id(one)]) for one in own])


def _pairs(first: Sequence[Record], second: Sequence[Record]) -> list[tuple[Heard, Heard]]:
    others = {item["key"]: item for item in heard_of(second)}
    return [(item, others[item["key"]]) for item in heard_of(first) if item["key"] in others]


def _word_errors(name: str, pairs: Pairs) -> Change:
    wrong = [[float(pair[side].words.errors.wrong) for pair in pairs] for side in (0, 1)]
    said = [float(one.words.errors.said) for one, _ in pairs]
    difference = paired_difference(wrong[0], wrong[1], said)
    return Change(name, sum(wrong[0]) / sum(said), sum(wrong[1]) / sum(said), difference)


def _speed(first: Sequence[Record], second: Sequence[Record]) -> Iterator[Change]:
    others: Mapping[str, Record] = {record["key"]: record for record in second}
    pairs = [(one, others[one["key"]]) for one in first if one["key"] in others]
    if not pairs:
        return
    seconds = [[float(pair[side]["seconds"]) for pair in pairs] for side in (0, 1)]
    audio = [float(one["audio_seconds"]) for one, _ in pairs]
    difference = paired_difference(seconds[0], seconds[1], audio)
    totals = [sum(own) / sum(audio) for own in seconds]
    yield Change("rtf", totals[0], totals[1], difference, is_share=False)


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
        f"{difference.p_value:.3f}",
        _verdict(difference),
    ]


def _verdict(difference: Difference) -> str:
    if not difference.is_significant:
        return "no difference seen"
    return "worse" if difference.value > 0 else "better"
