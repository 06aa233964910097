"""What the exported model hears: word error rate, language, silence.

The same figures through an unmodified faster-whisper, which pads every utterance to 30 s, and on
short windows through CTranslate2, as the server does. Sentences, noise seeds and (for "unseen") the
voice variants are none that the training has.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel

from evaluation import degradation
from evaluation.degradation import Samples
from evaluation.metrics.errors import compare, total
from evaluation.normalisers import normalise
from scripts.train_starter.domain import LANGUAGES, utterance
from scripts.train_starter.stt.batching import FRAME_SECONDS, NUM_MELS
from scripts.train_starter.stt.speech import RATE_HZ, Synthesizer
from scripts.train_starter.stt.voices import DEMO, SEEN, UNSEEN, Profile, perform

MAX_TOKENS = 60
TELEPHONE = replace(SEEN, conditions=replace(SEEN.conditions, telephone_share=1.0))
PROFILES = {"demo": DEMO, "seen": SEEN, "unseen": UNSEEN, "telephone": TELEPHONE}


@dataclass(frozen=True, slots=True)
class Recording:
    """Audio and what is said in it; "" is nothing."""

    samples: Samples  # [n] mono, 16 kHz
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Heard:
    """What a recognizer makes of a recording, left to find the language."""

    text: str
    language: str


@dataclass(frozen=True, slots=True)
class Score:
    """Figures of one set of recordings, in percent."""

    word_error_rates: dict[str, float]  # by language
    language_accuracy: float

    def __str__(self) -> str:
        rates = "  ".join(f"{lang} {rate:.1f}" for lang, rate in self.word_error_rates.items())
        mean = np.mean(list(self.word_error_rates.values()))
        return f"WER {mean:.1f} ({rates}), language {self.language_accuracy:.1f}"


Recognizer = Callable[[Recording], Heard]


def record(profile: Profile, num_per_language: int, seed: int) -> list[Recording]:
    """Held-out sentences in the voices of a profile, all languages in turn."""
    rng, synthesizer = random.Random(seed), Synthesizer()
    recordings = []
    for index in range(num_per_language * len(LANGUAGES)):
        language = LANGUAGES[index % len(LANGUAGES)]
        text = utterance(language, rng, "test").text
        samples, _, _ = perform(text, language, profile, synthesizer, rng)
        recordings.append(Recording(samples, language, text))
    return recordings


def record_nothing(count: int, seed: int) -> list[Recording]:
    """Silence, noise, hum and clicks."""
    rng = np.random.default_rng(seed)
    return [Recording(degradation.nothing_said(rng), "", "") for _ in range(count)]


def score(recordings: Sequence[Recording], heard: Sequence[Heard]) -> Score:
    """Word error rate of every language and how often the language was found."""
    pairs = list(zip(recordings, heard, strict=True))
    rates = {language: 100 * _word_error_rate(language, pairs) for language in LANGUAGES}
    found = sum(recording.language == h.language for recording, h in pairs)
    return Score(rates, 100 * found / len(pairs))


def _word_error_rate(language: str, pairs: Sequence[tuple[Recording, Heard]]) -> float:
    own = [(r.text, h.text) for r, h in pairs if r.language == language]
    said = [normalise(text, language) for text, _ in own]
    heard = [normalise(text, language) for _, text in own]
    return total(each.errors for each in compare(said, heard)).rate


def load(folder: Path) -> WhisperModel:
    """The model as faster-whisper loads it, with no network."""
    return WhisperModel(
        str(folder), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True
    )


def long_window(model: WhisperModel) -> Recognizer:
    """Unmodified faster-whisper: windows of 30 s, its default options but for a greedy search."""

    def recognize(recording: Recording) -> Heard:
        segments, info = model.transcribe(
            recording.samples, beam_size=1, temperature=0.0, without_timestamps=True
        )
        return Heard(" ".join(segment.text.strip() for segment in segments), info.language)

    return recognize


def short_window(model: WhisperModel) -> Recognizer:
    """CTranslate2 on a window as long as the recording and a little silence."""
    tokenizer = model.hf_tokenizer
    token_id = tokenizer.token_to_id
    end = token_id("<|endoftext|>")

    def recognize(recording: Recording) -> Heard:
        mel = model.feature_extractor(recording.samples, padding=0)
        frames = mel.shape[1] + 20 + mel.shape[1] % 2
        window = np.zeros((1, NUM_MELS, max(frames, 200)), np.float32)
        window[0, :, : mel.shape[1]] = mel
        sound = model.model.encode(ctranslate2.StorageView.from_array(window))
        language = model.model.detect_language(sound)[0][0][0]
        task = [language, "<|transcribe|>", "<|notimestamps|>"]
        prompt = [token_id(token) for token in ("<|startoftranscript|>", *task)]
        result = model.model.generate(
            sound, [prompt], beam_size=1, max_length=2 * MAX_TOKENS, suppress_blank=False
        )[0]
        text = tokenizer.decode([token for token in result.sequences_ids[0] if token < end])
        return Heard(text.strip(), language[2:-2])

    return recognize


def beginnings(recordings: Sequence[Recording], seconds: float) -> list[Recording]:
    """The first second or so of speech, for the language alone."""
    cut = int((seconds + FRAME_SECONDS) * RATE_HZ)
    return [replace(r, samples=r.samples[:cut]) for r in recordings]


def quick_score(folder: Path, num_per_language: int) -> str:
    """One line for the training's log: short windows, the seen and the unseen voices."""
    recognize = short_window(load(folder))
    lines = []
    for name in ("demo", "seen", "unseen"):
        recordings = record(PROFILES[name], num_per_language, seed=7)
        lines.append(f"{name}: {score(recordings, [recognize(r) for r in recordings])}")
    return "; ".join(lines)


def report(folder: Path, num_per_language: int, seed: int = 77) -> Iterator[str]:
    """All figures, a line for each."""
    model = load(folder)
    windows = {"short window": short_window(model), "faster-whisper": long_window(model)}
    for name, profile in PROFILES.items():
        recordings = record(profile, num_per_language, seed)
        for window, recognize in windows.items():
            yield f"{name}, {window}: {score(recordings, [recognize(r) for r in recordings])}"
        first = beginnings(recordings, 1.0)
        found = score(first, [windows["short window"](r) for r in first]).language_accuracy
        yield f"{name}, language from the first second: {found:.1f}"
    nothing = record_nothing(10 * len(LANGUAGES), seed)
    for window, recognize in windows.items():
        texts = [text for text in (recognize(r).text for r in nothing) if text]
        yield f"nothing said, {window}: {len(texts)} of {len(nothing)} with text {texts[:3]}"
