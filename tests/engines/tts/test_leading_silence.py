"""Speech begins with its first sound, and loses nothing of it."""

from collections.abc import Iterable, Iterator

import numpy as np
import pytest

from engines.config import STARTER
from engines.tts.espeak import EspeakVoice
from engines.tts.leading_silence import KEPT_SECONDS, LONGEST_SECONDS, without_leading_silence
from engines.tts.piper import PiperFiles, PiperVoice, open_piper_model
from engines.tts.piper_model import PiperModel
from engines.tts.voice import Mark, Samples, Voice

RATE_HZ = 16_000
KEPT = round(KEPT_SECONDS * RATE_HZ)
# Sounds that begin quietly: f, s, h, th and ch; and stops, before which there is nothing.
ONSETS = {
    "en": ("Friday.", "Sunday.", "Hello.", "Thank you.", "Choose.", "Please.", "Cats."),
    "es": ("Fue.", "Sí, claro.", "Jueves.", "Cinco.", "Chile.", "Por favor.", "Tres."),
    "fr": ("France.", "Cinq heures.", "Chez nous.", "Je sais.", "Paris.", "Quatre."),
    "hi": ("फ़ोन।", "सोमवार।", "हाँ।", "शुक्रवार।", "छह।", "पाँच।", "ठीक है।"),
    "tl": ("Filipino.", "Sige po.", "Hapon na.", "Salamat.", "Pito.", "Tama."),
}


@pytest.fixture(scope="module")
def starter() -> PiperModel:
    return open_piper_model(STARTER / "tts" / "starter.onnx", "cpu")


def sound(seconds: float, level: float = 8000) -> Samples:
    noise = np.random.default_rng(0).uniform(-level, level, round(seconds * RATE_HZ))
    return noise.astype(np.int16)


def silence(seconds: float) -> Samples:
    return sound(seconds, level=50)  # a voice's silence is not all zeros: -61 dBFS


def trimmed(*items: Samples | Mark) -> tuple[list[Samples], list[Mark]]:
    result = list(without_leading_silence(iter(items), RATE_HZ))
    return (
        [item for item in result if not isinstance(item, Mark)],
        [item for item in result if isinstance(item, Mark)],
    )


@pytest.mark.parametrize("chunk", [400, 1000, 16_000])
def test_silence_before_the_first_sound_is_cut_but_for_ten_milliseconds(chunk: int) -> None:
    whole = np.concatenate([silence(0.06), sound(0.1), silence(0.1), sound(0.1)])
    chunks = [whole[start : start + chunk] for start in range(0, len(whole), chunk)]
    audio, _ = trimmed(*chunks)
    assert np.array_equal(np.concatenate(audio), whole[960 - KEPT :])


def test_the_first_sound_waits_for_no_more_than_its_own_chunk() -> None:
    taken = []

    def chunks() -> Iterator[Samples]:
        for number, chunk in enumerate((silence(0.06), sound(0.06), sound(0.06))):
            taken.append(number)
            yield chunk

    first = next(without_leading_silence(chunks(), RATE_HZ))
    assert not isinstance(first, Mark)
    assert len(first) == 960 + KEPT
    assert taken == [0, 1]


def test_marks_are_as_much_earlier_as_was_cut() -> None:
    _, marks = trimmed(Mark(0, 0.02), Mark(3, 0.2), silence(0.06), sound(0.2), Mark(7, 0.3))
    assert [mark.characters for mark in marks] == [0, 3, 7]
    assert [mark.seconds for mark in marks] == pytest.approx([0.0, 0.15, 0.25])


def test_a_voice_that_begins_at_once_loses_nothing() -> None:
    audio, marks = trimmed(Mark(3, 0.2), sound(0.3), silence(0.2))
    assert len(np.concatenate(audio)) == 0.5 * RATE_HZ
    assert marks == [Mark(3, 0.2)]


def test_a_sound_that_swells_keeps_its_beginning() -> None:
    swelling = (sound(0.1) * np.linspace(0, 0.2, 1600)).astype(np.int16)
    whole = np.concatenate([np.zeros(1600, np.int16), swelling])
    audio, _ = trimmed(whole)
    lost = whole[: len(whole) - len(np.concatenate(audio))]
    assert len(lost) > 1000
    assert not np.any(lost)


def test_a_voice_that_stays_silent_is_not_waited_for() -> None:
    audio, _ = trimmed(*[silence(0.1)] * 20)
    assert len(audio) > 10
    assert len(np.concatenate(audio)) == pytest.approx((2.0 - LONGEST_SECONDS) * RATE_HZ, abs=KEPT)
    assert len(np.concatenate(trimmed(silence(0.1))[0])) == KEPT


def test_nothing_said_is_nothing() -> None:
    assert trimmed() == ([], [])
    assert trimmed(Mark(1, 0.0)) == ([], [Mark(1, 0.0)])


@pytest.mark.parametrize("language", ONSETS)
@pytest.mark.parametrize("make", ["starter", "espeak"])
def test_what_a_voice_loses_cannot_be_heard(starter: PiperModel, make: str, language: str) -> None:
    files = PiperFiles.find(str(STARTER / "tts" / "starter.onnx"), language)
    voice: Voice = EspeakVoice(language)
    if make == "starter":
        voice = PiperVoice(files, starter, language, language)
    cuts = []
    for text in ONSETS[language]:
        spoken = list(voice.speak(text, 1.0))
        whole = _audio(spoken)
        cut = len(whole) - len(_audio(without_leading_silence(iter(spoken), voice.rate_hz)))
        assert np.abs(whole[:cut]).max(initial=0) < 164  # -46 dBFS, in a single sample
        cuts.append(cut / voice.rate_hz)
    assert min(cuts) <= 0.02
    assert 0.02 <= max(cuts) <= 0.1  # before a stop


def _audio(items: Iterable[Samples | Mark]) -> Samples:
    return np.concatenate([item for item in items if not isinstance(item, Mark)])
