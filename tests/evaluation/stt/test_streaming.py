"""What a call shows while somebody speaks: words, their delay, their flicker."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from evaluation.data.layout import Recording, read_dataset, write_dataset
from evaluation.results import Results
from evaluation.speech import synthesize
from evaluation.stt import streaming, streaming_summary
from evaluation.stt.heard import heard_of
from evaluation.stt.whole import plan
from server.audio import samples_from_int16

RECORD = {
    "key": "set/es-1/clean",
    "dataset": "set",
    "clip": "es-1",
    "condition": "clean",
    "language": "es",
    "said": "El lunes, a las dos.",
    "heard": "El lunes a las tres.",
    "word_ends_seconds": [0.4, 0.9, 1.1, 1.3, 1.8],
    "turns": [
        {
            "shown": [["El", 0.9], ["jueves", 1.4]],
            "final": "El lunes a las tres.",
            "final_seconds": 2.3,
        }
    ],
    "speech_end_seconds": 1.8,
}


def test_a_words_delay_runs_from_its_end_to_when_it_is_shown() -> None:
    (item,) = heard_of([RECORD])
    delays = list(streaming_summary.word_delays_ms(item))
    # "lunes" stands where "jueves" was shown; "tres" was never said.
    assert delays == pytest.approx([500, 500, 1200, 1000])


def test_words_without_known_ends_are_spread_over_the_speech() -> None:
    (item,) = heard_of([{**RECORD, "said": "uno dos", "heard": "uno dos", "word_ends_seconds": []}])
    item.record["turns"][0].update(shown=[], final="uno dos")  # type: ignore[index]
    assert list(streaming_summary.word_delays_ms(item)) == pytest.approx([1400, 500])
    RECORD["turns"][0].update(shown=[["El", 0.9], ["jueves", 1.4]], final="El lunes a las tres.")


def test_figures_and_the_price_of_streaming() -> None:
    whole = {**RECORD, "heard": "El lunes a las dos"}
    part = streaming_summary.summarise([RECORD], [whole])
    figures = {figure.name: figure.value for figure in part.figures}
    assert figures["streaming.wer.es"] == pytest.approx(1 / 5)
    assert figures["streaming.flicker.es"] == pytest.approx(1 / 2)
    row = part.sections[0].tables[0].rows[0]
    assert row[3:5] == ["0.0%", "+20.0 [+20.0, +20.0]"]
    assert row[7] == "500 / 500"
