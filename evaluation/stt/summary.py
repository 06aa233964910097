"""What whole recordings say of the recognizer: errors, languages, made-up words, speed."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from evaluation.metrics.bootstrap import Interval, share
from evaluation.metrics.errors import Errors
from evaluation.normalisers import VERSION
from evaluation.report.model import (
    Bars,
    Distribution,
    Figure,
    Matrix,
    Part,
    Section,
    Table,
    percent,
    with_interval,
)
from evaluation.results import Record
from evaluation.stt import heard as hearing
from evaluation.stt.heard import (
    ALL,
    CLEAN,
    Heard,
    by,
    by_language,
    clean,
    condition,
    dataset,
    errors_of,
    headline,
    word_error_groups,
    word_error_rate,
)

_TOP = 8  # confusions shown of a language
_NOTHING = "∅"

_ABOUT_ERRORS = f"""Word and character error rates by jiwer, over all words of a language, with
the 95% interval of a bootstrap over recordings; normaliser version {VERSION}. Recordings as they
are ("clean"). "Whisper's" is the same with Whisper's published normaliser, to compare with the
figures of others: it drops the vowel signs of Hindi, so that a good part of its errors vanishes,
and parts Tagalog words at their hyphens. "Latin": substitutions in which a Hindi word was written
in Latin letters."""

_ABOUT_SYNTHETIC = """Synthetic sets are left out of error rates and language identification, but
for the table by set: there are recordings of other sets, and theirs are easier."""

_ABOUT_CONDITIONS = """The same recordings as they are, in a small room, with noise 20 and 10 dB
below the speech, and over the telephone (300 to 3,400 Hz, mu-law, 8 kHz)."""

_ABOUT_SETS = """Every set by itself, recordings as they are; below with Whisper's normaliser, with
which most figures that others give for a set were made."""

_ABOUT_LANGUAGE = """The language that the recognizer finds by itself among those of the
configuration, as recorded. Rows: what was spoken; columns: what it was taken for."""

_ABOUT_NOTHING = """Recordings in which nobody speaks: whatever is heard in them is made up."""

_ABOUT_SPEED = """Seconds of work for a second of audio, on the machine of this report. Below 1 a
recording is transcribed quicker than it was spoken."""


def summarise(records: Sequence[Record]) -> Part:
    """Of the records of `evaluation.stt.whole`."""
    items = hearing.heard_of(records)
    shown = headline(items)
    as_recorded = clean(shown)
    sections = [
        _errors(as_recorded, is_all=len(shown) == len(items)),
        _conditions(shown),
        _datasets(clean(items)),
        _durations(as_recorded),
        _confusions(as_recorded),
        _languages(as_recorded),
        _nothing([record for record in records if not record["language"]]),
        _speed(records),
    ]
    return Part(
        summary=tuple(_sentences(as_recorded)),
        sections=[section for section in sections if section is not None],
        figures=list(_figures(records, items)),
    )


def _sentences(items: Sequence[Heard]) -> Iterator[str]:
    for language, group in by_language(items).items():
        if language != ALL:
            rate = word_error_rate(group)
            yield (
                f"{language}: of 100 words {100 * (1 - rate.value):.1f} are heard right "
                f"(WER {with_interval(rate)}, {len(group)} recordings)."
            )


# ---- errors -------------------------------------------------------------------------------------


def _errors(items: Sequence[Heard], *, is_all: bool) -> Section | None:
    groups = by_language(items)
    if not groups:
        return None
    header = [
        *("language", "recordings", "words", "WER", "ins", "del", "sub", "Latin", "CER"),
        "WER, Whisper's",
    ]
    rows = [[language, *_error_cells(group)] for language, group in groups.items()]
    rates = {language: {CLEAN: word_error_rate(group)} for language, group in groups.items()}
    return Section(
        "Speech to text: errors",
        _ABOUT_ERRORS if is_all else f"{_ABOUT_ERRORS}\n\n{_ABOUT_SYNTHETIC}",
        [Table(header, rows)],
        [Bars("Word error rate with 95% interval", rates)],
    )


def _error_cells(group: Sequence[Heard]) -> list[str]:
    errors: Errors = errors_of(group)
    return [
        str(len(group)),
        str(errors.said),
        with_interval(word_error_rate(group)),
        str(errors.insertions),
        str(errors.deletions),
        str(errors.substitutions),
        str(errors.wrong_script),
        with_interval(hearing.character_error_rate(group)),
        percent(hearing.published_rate(group).value),
    ]


def _crossed(
    items: Sequence[Heard], name: Callable[[Heard], str], title: str
) -> tuple[Table, Bars] | None:
    """Word error rates by language and one more property, in the order of its names."""
    columns = by(items, name)
    if len(columns) < 2:
        return None
    rates = _rates(items, name, word_error_rate)
    return _rates_table("WER", list(columns), rates), Bars(title, rates)


def _rates(
    items: Sequence[Heard],
    name: Callable[[Heard], str],
    rate: Callable[[Sequence[Heard]], Interval],
) -> dict[str, dict[str, Interval]]:
    return {
        language: {column: rate(own) for column, own in by(group, name).items()}
        for language, group in by_language(items).items()
    }


def _rates_table(
    title: str, columns: Sequence[str], rates: Mapping[str, Mapping[str, Interval]]
) -> Table:
    rows = [
        [language, *(with_interval(row[c]) if c in row else "-" for c in columns)]
        for language, row in rates.items()
    ]
    return Table([title, *columns], rows)


def _conditions(items: Sequence[Heard]) -> Section | None:
    crossed = _crossed(items, condition, "Word error rate by condition")
    if crossed is None:
        return None
    table, bars = crossed
    return Section("Speech to text: noise, rooms, telephone", _ABOUT_CONDITIONS, [table], [bars])


def _datasets(items: Sequence[Heard]) -> Section | None:
    crossed = _crossed(items, dataset, "Word error rate by set")
    if crossed is None:
        return None
    ours, bars = crossed
    published = _rates(items, dataset, hearing.published_rate)
    whispers = _rates_table("WER, Whisper's", ours.header[1:], published)
    return Section("Speech to text: by set", _ABOUT_SETS, [ours, whispers], [bars])


def _durations(items: Sequence[Heard]) -> Section | None:
    ordered = sorted(items, key=lambda item: item["audio_seconds"])
    crossed = _crossed(ordered, _duration, "")
    if crossed is None:
        return None
    return Section("Speech to text: by length", "Recordings as they are.", [crossed[0]])


def _duration(item: Heard) -> str:
    return hearing.duration_class(item["audio_seconds"])


def _confusions(items: Sequence[Heard]) -> Section | None:
    tables = []
    for language, group in by_language(items).items():
        pairs = hearing.confusions_of(group).most_common(_TOP)
        if language != ALL and pairs:
            rows = [[said or _NOTHING, heard or _NOTHING, str(n)] for (said, heard), n in pairs]
            tables.append(Table(["said", "heard", "times"], rows, caption=language))
    if not tables:
        return None
    about = f"The most frequent ones of each language, recordings as they are; {_NOTHING}: no word."
    return Section("Speech to text: confusions", about, tables)


# ---- languages, nothing, speed ------------------------------------------------------------------


def _languages(items: Sequence[Heard]) -> Section | None:
    groups = by_language(items)
    if len(groups) < 3:  # one language and all
        return None
    counts = {
        language: {other: _taken_for(group, other) for other in _heard_languages(items)}
        for language, group in groups.items()
        if language != ALL
    }
    rows = [
        [language, *(str(n) for n in row.values()), with_interval(_found(groups[language]))]
        for language, row in counts.items()
    ]
    ordered = sorted(items, key=lambda item: item["audio_seconds"])
    lengths = [
        [length, str(len(group)), with_interval(_found(group))]
        for length, group in by(ordered, _duration).items()
    ]
    return Section(
        "Language identification",
        _ABOUT_LANGUAGE,
        [
            Table(["spoken", *_heard_languages(items), "found"], rows),
            Table(["length", "recordings", "found"], lengths),
        ],
        [Matrix("Spoken (rows) and taken for (columns)", counts)],
    )


def _heard_languages(items: Sequence[Heard]) -> list[str]:
    return sorted({str(item["heard_language"]) for item in items} | {i.language for i in items})


def _taken_for(group: Sequence[Heard], language: str) -> int:
    return sum(item["heard_language"] == language for item in group)


def _found(group: Sequence[Heard]) -> Interval:
    return share([item["heard_language"] == item.language for item in group])


def _nothing(records: Sequence[Record]) -> Section | None:
    if not records:
        return None
    made_up = [record for record in records if record["heard"]]
    rate = with_interval(share([bool(record["heard"]) for record in records]))
    minutes = sum(record["audio_seconds"] for record in records) / 60
    words = sum(len(record["heard"].split()) for record in records)
    rows = [
        ["recordings without speech", str(len(records))],
        ["with text all the same", f"{len(made_up)}: {rate}"],
        ["words made up in a minute", f"{words / minutes:.2f}"],
    ]
    texts = [[record["clip"], record["heard"]] for record in made_up[:_TOP]]
    examples = [Table(["recording", "heard"], texts)] if texts else []
    return Section("Hallucinations", _ABOUT_NOTHING, [Table(["", ""], rows), *examples])


def _speed(records: Sequence[Record]) -> Section | None:
    if not records:
        return None
    groups = {
        length: [record for record in records if _length(record) == length]
        for length in dict.fromkeys(_length(r) for r in sorted(records, key=_audio_seconds))
    }
    rows = [
        [length, str(len(group)), *_percentiles(group), f"{_real_time_factor(group):.4f}"]
        for length, group in {**groups, ALL: list(records)}.items()
    ]
    times: Mapping[str, list[float]] = {
        length: [1000 * record["seconds"] for record in group] for length, group in groups.items()
    }
    return Section(
        "Speech to text: speed",
        _ABOUT_SPEED,
        [Table(["length", "recordings", "P50 ms", "P95 ms", "real-time factor"], rows)],
        [Distribution("Time to transcribe a recording, by its length", times)],
    )


def _length(record: Record) -> str:
    return hearing.duration_class(record["audio_seconds"])


def _audio_seconds(record: Record) -> float:
    return float(record["audio_seconds"])


def _percentiles(group: Sequence[Record]) -> list[str]:
    times = [1000 * record["seconds"] for record in group]
    return [f"{value:.0f}" for value in np.percentile(times, [50, 95])]


def _real_time_factor(group: Sequence[Record]) -> float:
    audio_seconds = sum(map(_audio_seconds, group))
    return float(sum(record["seconds"] for record in group)) / audio_seconds


# ---- figures ------------------------------------------------------------------------------------


def _figures(records: Sequence[Record], items: Sequence[Heard]) -> Iterator[Figure]:
    for name, group in word_error_groups(items).items():
        yield Figure.of(name, word_error_rate(group))
    for language, group in by_language(clean(headline(items))).items():
        yield Figure.of(f"cer.{language}", hearing.character_error_rate(group))
        yield Figure.of(f"wer_whisper.{language}", hearing.published_rate(group))
        yield Figure.of(f"lid.{language}", _found(group))
    for language, rates in _rates(clean(items), dataset, hearing.published_rate).items():
        for name, rate in rates.items():
            yield Figure.of(f"wer_whisper.{language}.{name}", rate)
    nothing = [record for record in records if not record["language"]]
    if nothing:
        made_up = share([bool(record["heard"]) for record in nothing])
        yield Figure.of("hallucinations", made_up)
    if records:
        yield Figure("rtf", _real_time_factor(records), num=len(records))
