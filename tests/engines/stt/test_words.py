"""When words were said: alignments as words, and the starter recognizer's own."""

from dataclasses import replace

import numpy as np
import pytest

from engines.batcher import Batcher
from engines.config import SttConfig
from engines.stt import SttEngine, SttRequest, Transcript
from engines.stt.words import SpokenWord, spoken_words, token_starts
from evaluation.speech import synthesize
from server.audio import samples_from_int16

LANGUAGES = ("en", "es", "fr", "hi", "tl")
RATE_HZ = 16_000


def test_a_token_begins_where_its_path_first_reaches_it() -> None:
    path = [(0, 0), (0, 9), (1, 10), (2, 10), (2, 24), (3, 25)]
    assert token_starts(path, 3) == pytest.approx([0.0, 0.2, 0.2, 0.5])


def test_a_path_that_ends_early_ends_its_tokens_too() -> None:
    assert token_starts([(0, 0), (0, 4)], 2) == pytest.approx([0.0, 0.1, 0.1])
    assert token_starts([], 1) == [0.0, 0.0]


def test_words_last_from_their_first_token_to_the_next_word() -> None:
    words = spoken_words([("a", 1), ("bc", 2)], [0.0, 0.2, 0.4, 0.9])
    assert words == (SpokenWord("a", 0.0, 0.2), SpokenWord("bc", 0.2, 0.9))
    assert words[1].later(10.0) == replace(words[1], start_seconds=10.2, end_seconds=10.9)


async def test_the_starter_recognizer_says_when_each_word_was() -> None:
    """In a batch with requests that do not ask, and in another language."""
    english = samples_from_int16(synthesize("What is the capital of France?", "en", RATE_HZ))
    hindi = samples_from_int16(synthesize("मेरा नाम मारिया है।", "hi", RATE_HZ))
    silence = np.zeros(RATE_HZ, np.float32)
    async with Batcher[SttRequest, Transcript]("stt", SttEngine(SttConfig())) as stt:
        plain = await stt.run(SttRequest(english, LANGUAGES))
        timed = await stt.run(SttRequest(english, LANGUAGES, word_times=True))
        later = await stt.run(
            SttRequest(np.concatenate([silence, hindi]), LANGUAGES, word_times=True)
        )
    assert plain.words == ()
    assert timed.text == plain.text
    for transcript in (timed, later):
        assert " ".join(word.text for word in transcript.words) == transcript.text
        starts = [word.start_seconds for word in transcript.words]
        assert starts == sorted(starts)
        assert all(word.end_seconds >= word.start_seconds for word in transcript.words)
        assert transcript.words[-1].end_seconds <= transcript.audio_seconds + 0.02
    assert timed.words[-1].start_seconds > 0.5 * timed.audio_seconds
    assert later.words[1].start_seconds > 1.0
