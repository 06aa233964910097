"""Whole and broken-off sentences, spoken: what a caller says up to a pause, and how a line has it.

Three kinds: whole; stopped with the melody of a comma, as people do who think of what comes next;
and cut at a word boundary of the whole sentence, without any melody of an end.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import soxr

from engines.config import STARTER
from engines.tts.piper import PiperFiles, PiperVoice, open_piper_model
from engines.tts.voice import Mark
from evaluation.degradation import Samples, decibels, noise, reverberate, telephone
from scripts.train_starter.domain import LANGUAGES, sentences
from scripts.train_starter.domain.decline import filled_templates, unseen_questions
from scripts.train_starter.endpointing import (
    everyday_sentences,
    formulas,
    short_answers,
    whole_texts,
)
from scripts.train_starter.stt.speech import RATE_HZ, Synthesizer, Voice
from scripts.train_starter.stt.voices import COMMON_VARIANTS, UNSEEN_VARIANTS, VARIANTS, VOICES
from server.language.words import words_of

# What sentences are broken off after, most of all.
CONNECTIVES = {
    "en": ("and", "but", "because", "or", "with"),
    "es": ("y", "pero", "porque", "o", "con"),
    "fr": ("et", "mais", "parce que", "ou", "avec"),
    "hi": ("और", "लेकिन", "क्योंकि", "या"),
    "tl": ("at", "pero", "kasi", "o"),
}
PIPER_SHARE = 0.25
SHORT_ANSWERS = 20  # of each language; the formulas are as many
LEAD_SECONDS = 0.45
TRAIL_SECONDS = 0.6
_FADE_SAMPLES = 160
_SHORTEST_SECONDS = 0.2
_QUIET = 0.01  # of the loudest sample


@dataclass(frozen=True, slots=True)
class Spoken:
    """What was said up to a pause: float32[n] at 16 kHz without silence at its end."""

    language: str
    text: str
    kind: str  # "whole", "comma", "cut"
    voice: str
    samples: Samples

    @property
    def is_complete(self) -> bool:
        """Whether the speaker had finished."""
        return self.kind == "whole"


class Speakers:
    """eSpeak NG's variants and the starter Piper voice, each at many rates and pitches."""

    def __init__(self, rng: random.Random, *, held_out: bool) -> None:
        self._rng = rng
        self._held_out = held_out
        self._espeak = Synthesizer()
        path = STARTER / "tts" / "starter.onnx"
        model = open_piper_model(path, "cpu")
        self._piper = {
            language: PiperVoice(PiperFiles.find(str(path), language), model, language, language)
            for language in LANGUAGES
        }

    def sentences(self, language: str, count: int) -> Iterator[Spoken]:
        """Every drawn sentence in up to three kinds, one speaker for all three."""
        whole = whole_texts(language)
        pool = self._texts(language)
        for _ in range(count):
            text = self._rng.choice(pool).replace("|", " ")
            yield from self._perform(" ".join(text.split()), language, whole)

    def _texts(self, language: str) -> list[str]:
        split = "test" if self._held_out else "train"
        domain = [self._rng.choice(group).text for group in sentences(language, split).values()]
        domain += formulas(language)
        if self._held_out:
            return domain + [text for code, text in unseen_questions() if code == language]
        others = [self._rng.choice(texts) for _, texts in filled_templates(language, self._rng, 3)]
        answers = self._rng.sample(list(short_answers(language)), SHORT_ANSWERS)
        return domain + others + everyday_sentences(language) + answers

    def _perform(self, text: str, language: str, whole: set[tuple[str, ...]]) -> Iterator[Spoken]:
        rng = self._rng
        voice = None if rng.random() < PIPER_SHARE else self._voice(language)
        name = voice.name if voice else "piper"

        def say(kind: str, said: str) -> Spoken:
            mark = "," if kind == "comma" else ""
            samples = self._say(said + mark, language, voice)
            return Spoken(language, said, kind, name, _trimmed(samples))

        yield say("whole", text)
        if begun := self._beginning(text, language):
            yield say("comma", begun)
        if voice is not None and (cut := self._cut(text, language, voice, whole)) is not None:
            yield cut

    def _beginning(self, text: str, language: str) -> str:
        """Some words of it, or all, now and then with a connective behind them.

        "No," and "Thank you," alone are begun as well: only the melody tells them from whole turns.
        """
        words = text.split()
        length = self._rng.randint(1, len(words))
        begun = " ".join(words[:length]).rstrip(",;:.?!।… ")
        if self._rng.random() < (0.5 if length == len(words) else 0.2):
            begun = f"{begun} {self._rng.choice(CONNECTIVES[language])}"
        return begun if words_of(begun) else ""

    def _cut(
        self, text: str, language: str, voice: Voice, whole: set[tuple[str, ...]]
    ) -> Spoken | None:
        words = text.split()
        speech = self._espeak.say(text, language, voice)
        places = [
            place
            for place in range(1, len(words))
            if tuple(words_of(" ".join(words[:place]))) not in whole
            and speech.word_starts[place] > _SHORTEST_SECONDS * RATE_HZ
        ]
        if not places:
            return None
        place = self._rng.choice(places)
        samples = speech.samples[: int(speech.word_starts[place])].copy()
        samples[-_FADE_SAMPLES:] *= np.linspace(1, 0, _FADE_SAMPLES, dtype=np.float32)
        return Spoken(language, " ".join(words[:place]), "cut", voice.name, _trimmed(samples))

    def _voice(self, language: str) -> Voice:
        rng = self._rng
        if self._held_out:
            name = rng.choice(VOICES[language]) + rng.choice(UNSEEN_VARIANTS)
        elif rng.random() < 0.3:
            name = VOICES[language][0] + rng.choice(COMMON_VARIANTS)
        else:
            name = rng.choice(VOICES[language]) + rng.choice(VARIANTS)
        return Voice(name, rng.randint(140, 215), rng.randint(20, 80))

    def _say(self, text: str, language: str, voice: Voice | None) -> Samples:
        if voice is not None:
            return self._espeak.say(text, language, voice).samples
        piper = self._piper[language]
        spoken = piper.speak(text, self._rng.uniform(0.85, 1.2))
        chunks = [item for item in spoken if not isinstance(item, Mark)]
        warped_hz = piper.rate_hz * self._rng.uniform(0.85, 1.2)  # another throat
        samples = np.concatenate(chunks).astype(np.float32) / 32768
        return np.asarray(soxr.resample(samples, warped_hz, RATE_HZ), np.float32)


def on_a_line(spoken: Samples, rng: random.Random) -> Samples:
    """As a server receives it, with silence before and after: rooms, noise, telephones."""
    noise_rng = np.random.default_rng(rng.getrandbits(32))
    gain = rng.uniform(0.15, 0.8) / (float(np.abs(spoken).max()) + 1e-6)
    lead, trail = (np.zeros(int(s * RATE_HZ), np.float32) for s in (LEAD_SECONDS, TRAIL_SECONDS))
    samples = np.concatenate([lead, spoken * np.float32(gain), trail])
    if rng.random() < 0.2:
        samples = reverberate(samples, noise_rng)
    level_db = rng.uniform(-75, -40) if rng.random() < 0.7 else -90.0
    hiss = noise(len(samples), noise_rng) * np.float32(decibels(level_db))
    samples = samples + hiss
    if rng.random() < 0.2:
        samples = telephone(samples)
    return np.clip(samples, -1, 1).astype(np.float32)


def _trimmed(samples: Samples) -> Samples:
    loud = np.flatnonzero(np.abs(samples) > _QUIET * np.abs(samples).max())
    return samples[: loud[-1] + 1] if len(loud) else samples
