"""The hallucination guards on constructed decodings."""

import pytest

from engines.config import SttConfig
from engines.stt import guards

LOOPING = [
    [7] * 12,
    [1, 2] * 6,
    [5, 1, 2, 3, *([4, 5, 6, 7, 8] * 4), 9],
    list(range(10)) * 4,
]
HONEST = [
    [],
    [7] * 11,
    [1, 2] * 5,
    [4, 5, 6, 7, 8] * 3,
    list(range(200)),
    [1, 2, 3, 1, 2, 4, 1, 2, 5, 1, 2, 6, 1, 2, 7, 1, 2, 8],
]


@pytest.mark.parametrize("tokens", LOOPING)
def test_a_phrase_that_goes_in_circles_is_a_loop(tokens: list[int]) -> None:
    assert guards.is_loop(tokens, SttConfig().loop_repeats)


@pytest.mark.parametrize("tokens", HONEST)
def test_repetition_that_people_speak_is_none(tokens: list[int]) -> None:
    assert not guards.is_loop(tokens, SttConfig().loop_repeats)


@pytest.mark.parametrize("tokens", LOOPING)
def test_an_owner_sets_how_often_a_loop_repeats(tokens: list[int]) -> None:
    assert not guards.is_loop(tokens, 13)


@pytest.mark.parametrize(
    ("no_speech_probability", "mean_log_probability", "rejected"),
    [(0.7, -1.1, True), (0.7, -0.9, False), (0.5, -1.1, False)],
)
def test_no_speech_needs_both_signs(
    no_speech_probability: float, mean_log_probability: float, rejected: bool
) -> None:
    assert guards.is_no_speech(no_speech_probability, mean_log_probability, SttConfig()) is rejected


def test_an_owner_sets_what_is_no_speech() -> None:
    strict = SttConfig(no_speech_threshold=0.4, log_probability_threshold=-0.5)
    assert guards.is_no_speech(0.5, -0.6, strict)
    assert not guards.is_no_speech(0.5, -0.6, SttConfig())


@pytest.mark.parametrize(
    ("text", "language", "probability", "seconds", "rejected"),
    [
        ("Thank you for watching!", "en", 0.4, 3.0, True),
        ("Thank you for watching!", "en", 0.9, 3.0, False),
        ("Thank you.", "en", 0.9, 0.4, True),
        ("Thank you for the appointment.", "en", 0.4, 3.0, False),
        ("¡Gracias por ver el vídeo!", "es", 0.4, 3.0, True),
        ("Merci d’avoir regardé cette vidéo !", "fr", 0.4, 3.0, True),
        ("धन्यवाद।", "hi", 0.4, 3.0, True),
        ("Maraming salamat po.", "tl", 0.4, 3.0, True),
        ("Gracias", "fr", 0.4, 3.0, False),
        ("Danke", "de", 0.1, 0.1, False),
        ("", "en", 0.0, 3.0, False),
    ],
)
def test_what_whisper_says_on_silence_is_believed_only_when_it_is_sure(
    text: str, language: str, probability: float, seconds: float, rejected: bool
) -> None:
    verdict = guards.is_hallucination(
        text, language, mean_token_probability=probability, audio_seconds=seconds
    )
    assert verdict is rejected


def test_nobody_says_more_tokens_than_the_language_needs() -> None:
    one_second, ten_seconds = guards.max_tokens(1, 0.3), guards.max_tokens(10, 0.3)
    assert one_second < ten_seconds < 100
    assert guards.max_tokens(10, 1.5) > 300


def test_every_language_of_the_project_has_its_data() -> None:
    data = guards.language_data()
    assert set(data) == {"en", "es", "fr", "hi", "tl"}
    for language in data.values():
        assert language.sample
        assert all(phrase == guards.spoken_words(phrase) for phrase in language.hallucinations)
        assert "" not in language.hallucinations


def test_marks_of_the_script_are_kept() -> None:
    assert guards.spoken_words("  नमस्ते, दुनिया!  ") == "नमस्ते दुनिया"
