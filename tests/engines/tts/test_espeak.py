"""eSpeak NG itself, through its library: real audio."""

import subprocess
import sys
import threading

import numpy as np
import pytest

from engines.errors import EngineError
from engines.tts.espeak import Espeak, prepare, voice_name
from engines.tts.espeak_library import Event, EventKind
from engines.tts.voice import Samples

SENTENCES = {
    "en": "Good morning, how can I help you today?",
    "es": "Buenos días, ¿en qué puedo ayudarle hoy?",
    "fr": "Bonjour, comment puis-je vous aider aujourd'hui ?",
    "hi": "नमस्ते, मैं आज आपकी क्या मदद कर सकता हूँ?",
    "tl": "Magandang umaga po, ano po ang maitutulong ko?",
}


@pytest.fixture
def espeak() -> Espeak:
    return Espeak()


def phonemes(events: list[Event]) -> list[str]:
    return [event.phoneme for event in events if event.kind is EventKind.PHONEME]


@pytest.mark.parametrize("language", SENTENCES)
def test_each_language_gives_sound_of_plausible_length(espeak: Espeak, language: str) -> None:
    samples, rate_hz = espeak.speak_language(SENTENCES[language], language)
    seconds = len(samples) / rate_hz
    assert samples.dtype == np.int16
    assert 1.5 < seconds < 5.0
    assert 3000 < np.abs(samples.astype(int)).max() < 32767
    voiced = np.abs(samples) > 500
    assert 0.2 < voiced.mean() < 0.98


def test_tagalog_goes_through_our_own_rules() -> None:
    assert prepare("Salamat po", "tl") == ("[[sal'amat]] [[p'o?]]", True)
    assert prepare("Thank you", "en") == ("Thank you", False)


def test_streaming_equals_the_whole(espeak: Espeak) -> None:
    chunks: list[Samples] = []
    streamed: list[Event] = []

    def receive(samples: Samples, events: list[Event]) -> bool:
        chunks.append(samples)
        streamed.extend(events)
        return True

    espeak.stream(SENTENCES["en"], "en-us", receive)
    whole, events = espeak.synthesize_with_events(SENTENCES["en"], "en-us")
    assert len(chunks) > 10
    assert max(len(chunk) for chunk in chunks) <= 0.1 * espeak.rate_hz
    # Its flutter makes every synthesis differ by a few samples.
    assert abs(sum(len(chunk) for chunk in chunks) - len(whole)) < 100
    assert phonemes(streamed) == phonemes(events)


@pytest.mark.parametrize("num_chunks", [1, 3, 10])
def test_after_an_abort_the_next_speech_is_uncorrupted(espeak: Espeak, num_chunks: int) -> None:
    expected, expected_events = espeak.synthesize_with_events("The second sentence.", "en-us")
    received: list[Samples] = []

    def receive(samples: Samples, events: list[Event]) -> bool:
        received.append(samples)
        return len(received) < num_chunks

    espeak.stream("Zebras are cut off soon. Nobody hears the rest of it!", "en-us", receive)
    samples, events = espeak.synthesize_with_events("The second sentence.", "en-us")
    assert len(received) == num_chunks
    assert phonemes(events) == phonemes(expected_events)
    assert abs(len(samples) - len(expected)) < 100


def test_an_error_of_the_receiver_comes_through(espeak: Espeak) -> None:
    def receive(samples: Samples, events: list[Event]) -> bool:
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        espeak.stream("Hello there.", "en-us", receive)
    assert len(espeak.synthesize("Hello there.", "en-us")[0]) > 5000


@pytest.mark.parametrize("voice", ["nope", "en-us+nope", "", "en-us+../f3x"])
def test_unknown_voice_is_a_clear_error(espeak: Espeak, voice: str) -> None:
    with pytest.raises(EngineError, match="no voice named"):
        espeak.synthesize("Hello.", voice)


def test_unknown_language_names_the_choices() -> None:
    with pytest.raises(EngineError, match="en, es, fr, hi, tl"):
        voice_name("de")


def test_words_and_phonemes_have_positions(espeak: Espeak) -> None:
    text = "Good morning to you"
    samples, events = espeak.synthesize_with_events(text, "en-us")
    words = [event for event in events if event.kind is EventKind.WORD]
    spans = [text[e.text_position : e.text_position + e.text_length] for e in words]
    assert spans == ["Good", "morning", "to", "you"]
    starts = [event.sample for event in events]
    assert starts == sorted(starts)
    assert starts[-1] <= len(samples)
    assert "ŋ" in phonemes(events)


def test_rate_pitch_and_variant_change_the_speech(espeak: Espeak) -> None:
    text = SENTENCES["en"]
    normal, _ = espeak.synthesize(text, "en-us")
    fast, _ = espeak.synthesize(text, "en-us", words_per_minute=300)
    high, _ = espeak.synthesize(text, "en-us", pitch=90)
    female, _ = espeak.synthesize(text, "en-us+f3")
    assert len(fast) < 0.75 * len(normal)
    assert fundamental_hz(high, espeak.rate_hz) > 1.2 * fundamental_hz(normal, espeak.rate_hz)
    assert fundamental_hz(female, espeak.rate_hz) > 1.2 * fundamental_hz(normal, espeak.rate_hz)


def fundamental_hz(samples: Samples, rate_hz: int) -> float:
    """Median of the autocorrelation's peak over the loud windows, within 60 to 400 Hz."""
    window, shortest, longest = 1024, rate_hz // 400, rate_hz // 60
    pitches = []
    for start in range(0, len(samples) - window, window):
        part = samples[start : start + window].astype(float)
        if np.abs(part).max() > 4000:
            correlation = np.correlate(part, part, "full")[window - 1 :]
            pitches.append(rate_hz / (shortest + np.argmax(correlation[shortest:longest])))
    return float(np.median(pitches))


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_blank_text_has_no_audio(espeak: Espeak, text: str) -> None:
    assert len(espeak.synthesize(text, "en-us")[0]) == 0


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "😀", "[[", "<b>x</b>", "?!...", "॥"])
def test_odd_text_is_harmless(espeak: Espeak, text: str) -> None:
    espeak.synthesize(text, "en-us")
    samples, _ = espeak.synthesize("Hello there.", "en-us")
    assert len(samples) > 0.5 * espeak.rate_hz


def test_phoneme_brackets_are_text_unless_asked_for(espeak: Espeak) -> None:
    as_phonemes, _ = espeak.synthesize("[[h@l'oU]]", "en-us", phoneme_input=True)
    as_text, _ = espeak.synthesize("[[h@l'oU]]", "en-us")
    assert len(as_text) > 1.3 * len(as_phonemes)


def test_two_threads_take_turns() -> None:
    lengths: list[int] = []

    def speak() -> None:
        lengths.extend(len(Espeak().synthesize(SENTENCES["en"], "en-us")[0]) for _ in range(5))

    threads = [threading.Thread(target=speak) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(lengths) == 10
    assert max(lengths) - min(lengths) < 100


def test_threads_that_begin_at_once_share_one_library() -> None:
    """In a process of its own: this one has loaded it already. Two copies crash each other."""
    code = (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from engines.tts.espeak_library import library\n"
        "with ThreadPoolExecutor(8) as pool:\n"
        "    copies = list(pool.map(lambda _: library(), range(8)))\n"
        "assert all(copy is copies[0] for copy in copies)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
