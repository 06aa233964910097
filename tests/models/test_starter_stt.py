"""The committed starter recognizer, through an unmodified faster-whisper with no network.

The bars are the figures of the card (models/starter/stt/README.md) with a margin.
"""

import socket

import pytest
from faster_whisper import WhisperModel

from engines.config import STARTER
from scripts.train_starter.domain import LANGUAGES
from scripts.train_starter.stt.evaluate import (
    PROFILES,
    Score,
    beginnings,
    load,
    long_window,
    record,
    record_nothing,
    score,
    short_window,
)

FOLDER = STARTER / "stt"
NUM_SENTENCES = 10  # of every language
MAX_MEGABYTES = 15.0
MAX_WORD_ERROR_PERCENT = {"demo": 4.0, "seen": 10.0, "unseen": 20.0}
MIN_LANGUAGE_PERCENT = {"demo": 98.0, "seen": 95.0, "unseen": 90.0}

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def model() -> WhisperModel:
    """The model, loaded while every connection is refused."""

    def refuse(*arguments: object) -> None:
        raise AssertionError(f"the model asks for the network: {arguments}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        return load(FOLDER)


def check(figures: Score, profile: str) -> None:
    assert max(figures.word_error_rates.values()) <= MAX_WORD_ERROR_PERCENT[profile], figures
    assert figures.language_accuracy >= MIN_LANGUAGE_PERCENT[profile], figures


def test_it_is_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < MAX_MEGABYTES * 1e6


def test_faster_whisper_hears_held_out_sentences(model: WhisperModel) -> None:
    recordings = record(PROFILES["demo"], NUM_SENTENCES, seed=101)
    recognize = long_window(model)
    check(score(recordings, [recognize(recording) for recording in recordings]), "demo")


@pytest.mark.parametrize("profile", ["demo", "seen", "unseen"])
def test_short_windows_hear_held_out_sentences(model: WhisperModel, profile: str) -> None:
    recordings = record(PROFILES[profile], NUM_SENTENCES, seed=102)
    recognize = short_window(model)
    check(score(recordings, [recognize(recording) for recording in recordings]), profile)


def test_one_second_tells_the_language(model: WhisperModel) -> None:
    first = beginnings(record(PROFILES["demo"], NUM_SENTENCES, seed=103), seconds=1.0)
    recognize = short_window(model)
    found = sum(recognize(recording).language == recording.language for recording in first)
    assert found >= 0.95 * NUM_SENTENCES * len(LANGUAGES)


def test_silence_and_noise_give_nothing(model: WhisperModel) -> None:
    recordings = record_nothing(40, seed=104)
    hear_short, hear_long = short_window(model), long_window(model)
    assert [hear_short(recording).text for recording in recordings] == [""] * 40
    assert [hear_long(recording).text for recording in recordings[:8]] == [""] * 8
