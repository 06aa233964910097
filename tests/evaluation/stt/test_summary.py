"""Figures of recordings that were transcribed whole."""

import pytest

from evaluation.report.model import Figure, Part
from evaluation.results import Record
from evaluation.stt.summary import summarise


def record(
    language: str,
    said: str,
    heard: str,
    heard_language: str = "",
    condition: str = "clean",
    seconds: float = 3.0,
    dataset: str = "set",
) -> Record:
    return {
        "key": f"{dataset}/{language}/{said}/{condition}",
        "dataset": dataset,
        "clip": said,
        "condition": condition,
        "language": language,
        "speaker": "",
        "said": said,
        "heard": heard,
        "heard_language": heard_language or language,
        "audio_seconds": seconds,
        "seconds": seconds / 10,
    }


RECORDS = [
    record("es", "El lunes a las dos.", "el jueves a las dos"),
    record("es", "¿Qué día es?", "qué día es", seconds=1.0),
    record("es", "El lunes a las dos.", "", condition="telephone"),
    record("hi", "मैं घर में हूँ", "में घर में हूँ"),
    record("hi", "नमस्ते", "namaste", "es"),
    record("", "", ""),
    record("", "", "Thank you."),
]


@pytest.fixture(scope="module")
def part() -> Part:
    return summarise(RECORDS)


def figure(part: Part, name: str) -> Figure:
    return {each.name: each for each in part.figures}[name]


def test_rates_are_of_all_words_of_a_language_as_recorded(part: Part) -> None:
    assert figure(part, "wer.es").value == pytest.approx(1 / 8)
    assert figure(part, "wer.hi").value == pytest.approx(2 / 5)
    assert figure(part, "wer.all").value == pytest.approx(3 / 13)
    assert figure(part, "wer.es.telephone").value == 1.0
    es = figure(part, "wer.es")
    assert es.low is not None
    assert es.high is not None
    assert es.low <= es.value <= es.high
    assert es.num == 2


def test_whispers_normaliser_stands_beside_ours(part: Part) -> None:
    """Of मैं and में it leaves the same letter, and loses that error."""
    assert figure(part, "wer_whisper.hi").value < figure(part, "wer.hi").value


def test_hindi_in_latin_letters_is_counted(part: Part) -> None:
    errors = next(section for section in part.sections if "errors" in section.title)
    rows = {row[0]: row for row in errors.tables[0].rows}
    assert rows["hi"][errors.tables[0].header.index("Latin")] == "1"


def test_languages_are_a_matrix(part: Part) -> None:
    assert figure(part, "lid.hi").value == 0.5
    assert figure(part, "lid.es").value == 1.0
    section = next(s for s in part.sections if s.title == "Language identification")
    assert [row[:3] for row in section.tables[0].rows] == [["es", "2", "0"], ["hi", "1", "1"]]


def test_what_is_heard_in_silence_is_made_up(part: Part) -> None:
    assert figure(part, "hallucinations").value == 0.5


def test_speed_is_over_all_recordings(part: Part) -> None:
    assert figure(part, "rtf").value == pytest.approx(0.1)


def test_confusions_name_the_words(part: Part) -> None:
    section = next(s for s in part.sections if "confusions" in s.title)
    assert ["lunes", "jueves", "1"] in section.tables[0].rows


FLEURS = [
    record("hi", "मैं घर में हूँ", "में घर में हूँ", dataset="fleurs"),
    *(
        record("hi", "मैं घर में हूँ", "", condition=condition, dataset="fleurs")
        for condition in ("room", "telephone")
    ),
    *(
        record(language, "नमस्ते जी", "नमस्ते जी", dataset="synthetic-other-voices")
        for language in ("hi", "tl")
    ),
]


@pytest.fixture(scope="module")
def of_fleurs() -> Part:
    return summarise(FLEURS)


def test_a_set_has_the_figures_of_its_recordings_as_they_are(of_fleurs: Part) -> None:
    by_set = figure(of_fleurs, "wer.hi.fleurs")
    assert (by_set.value, by_set.num) == (0.25, 1)
    assert figure(of_fleurs, "wer_whisper.hi.fleurs").value == 0.0
    assert figure(of_fleurs, "wer.hi.synthetic-other-voices").value == 0.0
    assert figure(of_fleurs, "wer.hi.telephone").value == 1.0
    section = next(s for s in of_fleurs.sections if s.title.endswith("by set"))
    ours, whispers = section.tables
    assert ours.header[1:] == whispers.header[1:] == ["fleurs", "synthetic-other-voices"]
    hindi = {table.header[0]: row for table in section.tables for row in table.rows[:1]}
    assert hindi["WER"][1].startswith("25.0% [")
    assert hindi["WER, Whisper's"][1].startswith("0.0% [")


def test_synthetic_sets_do_not_dilute_what_people_recorded(of_fleurs: Part) -> None:
    headline = figure(of_fleurs, "wer.hi")
    assert (headline.value, headline.num) == (0.25, 1)
    assert figure(of_fleurs, "wer.all").value == headline.value
    assert "wer.tl" not in {each.name for each in of_fleurs.figures}
    (sentence,) = of_fleurs.summary
    assert sentence.startswith("hi: of 100 words 75.0")
    assert "Synthetic sets are left out" in of_fleurs.sections[0].about
    assert "left out" not in summarise(FLEURS[:3]).sections[0].about
    alone = summarise(FLEURS[3:])
    assert figure(alone, "wer.all").num == 2
    assert "left out" not in alone.sections[0].about


def test_nothing_measured_is_no_section() -> None:
    assert summarise([]) == Part(sections=[], figures=[])
