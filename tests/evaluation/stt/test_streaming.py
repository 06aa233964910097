"""What a call shows while somebody speaks: words, their delay, their flicker."""

from dataclasses import replace
from pathlib import Path

import pytest

from evaluation.commands.stt import first_jobs
from evaluation.data.layout import Clip, Dataset, Recording, read_dataset, write_dataset
from evaluation.results import Record, Results
from evaluation.stt import streaming, streaming_summary
from evaluation.stt.heard import heard_of
from evaluation.stt.whole import plan
from server.audio import samples_from_int16
from server.resampling import resample
from tests.evaluation.realtime_double import Double, serving, tone

TURN = {
    "shown": [["El", 0.9], ["jueves", 1.4]],
    "final": "El lunes a las tres.",
    "final_seconds": 2.3,
}
RECORD: Record = {
    "key": "set/es-1/clean",
    "dataset": "set",
    "clip": "es-1",
    "condition": "clean",
    "language": "es",
    "said": "El lunes, a las dos.",
    "heard": "El lunes a las tres.",
    "word_ends_seconds": [0.4, 0.9, 1.1, 1.3, 1.8],
    "turns": [TURN],
    "speech_end_seconds": 1.8,
}


def test_a_words_delay_runs_from_its_end_to_when_it_is_shown() -> None:
    (item,) = heard_of([RECORD])
    delays = list(streaming_summary.word_delays_ms(item))
    # "lunes" stands where "jueves" was shown; "tres" was never said.
    assert delays == pytest.approx([500, 500, 1200, 1000])


def test_words_without_known_ends_are_spread_over_the_speech() -> None:
    turn = {"shown": [], "final": "uno dos", "final_seconds": 2.3}
    changes = {"said": "uno dos", "heard": "uno dos", "word_ends_seconds": [], "turns": [turn]}
    (item,) = heard_of([{**RECORD, **changes}])
    assert list(streaming_summary.word_delays_ms(item)) == pytest.approx([1400, 500])


def test_figures_and_the_price_of_streaming() -> None:
    whole = {**RECORD, "heard": "El lunes a las dos"}
    part = streaming_summary.summarise([RECORD], [whole])
    figures = {figure.name: figure.value for figure in part.figures}
    assert figures["streaming.wer.es"] == pytest.approx(1 / 5)
    assert figures["streaming.flicker.es"] == pytest.approx(1 / 2)
    row = part.sections[0].tables[0].rows[0]
    assert row[3:5] == ["0.0%", "+20.0 [+20.0, +20.0]"]
    assert row[7] == "500 / 500"


def test_synthetic_sets_do_not_dilute_what_people_recorded() -> None:
    easy = {**RECORD, "dataset": "synthetic-other-voices", "heard": RECORD["said"]}
    both = [RECORD, {**easy, "key": "synthetic-other-voices/es-1/clean"}]
    figures = {each.name: each for each in streaming_summary.summarise(both, []).figures}
    assert (figures["streaming.wer.es"].value, figures["streaming.wer.es"].num) == (0.2, 1)
    alone = {each.name: each for each in streaming_summary.summarise(both[1:], []).figures}
    assert alone["streaming.wer.es"].value == 0.0


def test_calls_are_not_spent_on_synthetic_sets_where_there_are_others() -> None:
    clips = tuple(Clip(f"es-{n}", "", "Hola", "es", "", 1.0, "", "") for n in range(3))
    sets = [Dataset(Path(name), clips) for name in ("fleurs", "synthetic-other-voices")]
    assert [job.key for job in first_jobs(sets, 2)] == ["fleurs/es-0/clean", "fleurs/es-1/clean"]
    assert len(first_jobs(sets[1:], 2)) == 2
    nobody = replace(clips[0], language="")
    assert len(first_jobs([Dataset(Path("noises"), (nobody,)), sets[1]], 2)) == 2


def dataset_of_two(folder: Path) -> Dataset:
    speech = resample(samples_from_int16(tone(0.3)), 24_000, 16_000)
    recordings = [
        Recording(
            f"en-{n}", "What is the capital of Peru?", "en", "", "", lambda: speech, folder, n
        )
        for n in range(2)
    ]
    list(write_dataset(folder, recordings))
    return read_dataset(folder)[0]


async def test_recordings_are_spoken_into_calls_and_none_twice(tmp_path: Path) -> None:
    jobs = plan([dataset_of_two(tmp_path / "set")], ["clean"])
    done: list[str] = []
    async with serving(Double()) as url:
        for _ in range(2):
            results = Results(tmp_path / "streaming.jsonl", "now")
            problems = await streaming.measure(
                jobs, url, results, 2, lambda job: done.append(job.key)
            )
            assert problems == []
    assert sorted(done) == ["set/en-0/clean", "set/en-1/clean"]
    for record in results.records:
        assert record["heard"] == "What is the capital of Japan?"
        (turn,) = record["turns"]
        assert turn["final_seconds"] > record["speech_end_seconds"] > 0


async def test_a_server_that_refuses_is_said_of_every_recording(tmp_path: Path) -> None:
    jobs = plan([dataset_of_two(tmp_path / "set")], ["clean"])
    async with serving(Double(flaw="refuses")) as url:
        results = Results(tmp_path / "streaming.jsonl", "now")
        problems = await streaming.measure(jobs, url, results, 1, lambda _: None)
    assert len(problems) == 2
    assert results.records == []
