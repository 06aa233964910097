"""The corpus: shards of examples on disk, taken up where the making stopped."""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from faster_whisper.feature_extractor import FeatureExtractor
from numpy.typing import NDArray

from evaluation import degradation
from scripts.train_starter.domain import LANGUAGES, sentences, slot_words
from scripts.train_starter.stt.batching import NUM_MELS, Example
from scripts.train_starter.stt.speech import RATE_HZ, Synthesizer, Voice
from scripts.train_starter.stt.texts import training_text
from scripts.train_starter.stt.tokenizer import build_tokenizer
from scripts.train_starter.stt.voices import TRAINING_PROFILES, VOICES, Profile, perform

TOKENIZER_NAME = "tokenizer.json"
FRAME_SAMPLES = 320  # 20 ms, one frame of the encoder
MAX_SECONDS = 8.0
SHARD_EXAMPLES = 1000
NUM_WORDS = 1800
NUM_PHONEMES = 160  # room for the inventory


@dataclass(frozen=True, slots=True)
class ShardPlan:
    """One file of the corpus."""

    name: str
    profile: str
    seed: int


def corpus_plan(num_plain: int, num_wide: int) -> list[ShardPlan]:
    """The easy shards first: the training begins with them."""
    profiles = ["plain"] * num_plain + ["wide"] * num_wide
    return [ShardPlan(f"{i:04d}-{p}", p, 1000 + i) for i, p in enumerate(profiles)]


def prepare(folder: Path) -> None:
    """The tokenizer and the inventory of phonemes, fixed before the first shard is made."""
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "inventory.json").exists():
        return
    rng = random.Random(0)
    texts = [training_text(lang, rng) for _ in range(10000) for lang in LANGUAGES]
    texts += [words for language in LANGUAGES for words in slot_words(language)] * 2
    texts += [
        s.text for lang in LANGUAGES for g in sentences(lang, "train").values() for s in g[:1]
    ]
    build_tokenizer(texts, LANGUAGES, NUM_WORDS).save(str(folder / TOKENIZER_NAME))
    synthesizer = Synthesizer()
    found = {""}
    for _ in range(200):
        for language in LANGUAGES:
            for voice in VOICES[language]:
                text = training_text(language, rng)
                speech = synthesizer.say(text, language, Voice(voice, 175))
                found.update(phoneme for _, phoneme in speech.phonemes)
    inventory = sorted(found)[:NUM_PHONEMES]
    (folder / "inventory.json").write_text(json.dumps(inventory, ensure_ascii=False))


class ExampleMaker:
    """Draws examples of a profile. Owns a synthesizer: one to a process."""

    def __init__(self, inventory: Sequence[str]) -> None:
        self._synthesizer = Synthesizer()
        self._mel = FeatureExtractor(feature_size=NUM_MELS)
        self._phoneme_ids = {phoneme: index for index, phoneme in enumerate(inventory)}

    def draw(self, profile: Profile, rng: random.Random) -> Example:
        """One example of at most `MAX_SECONDS`."""
        if rng.random() < profile.nothing_share:
            samples = degradation.nothing_said(np.random.default_rng(rng.getrandbits(32)))
            return Example(*self._sound(samples, ((0.0, ""),), 0), "", "", ())
        while True:
            language = rng.choice(LANGUAGES)
            text = training_text(language, rng)
            samples, speech, shift = perform(text, language, profile, self._synthesizer, rng)
            if len(samples) <= MAX_SECONDS * RATE_HZ:
                break
        bounds = (*speech.word_starts, speech.end)
        frames = tuple(max(0.0, (at + shift) / FRAME_SAMPLES) for at in bounds)
        return Example(*self._sound(samples, speech.phonemes, shift), language, text, frames)

    def _sound(
        self, samples: degradation.Samples, phonemes: Sequence[tuple[float, str]], shift: int
    ) -> tuple[NDArray[np.float16], NDArray[np.int64]]:
        """Mel spectrogram [80, 2T] and phoneme labels [T]."""
        mel = self._mel(samples, padding=0)
        num_frames = mel.shape[1] // 2
        labels = np.zeros(num_frames, np.int64)
        for start, phoneme in phonemes:
            first = max(0, math.ceil((start + shift) / FRAME_SAMPLES))
            labels[first:] = self._phoneme_ids.get(phoneme, 0)
        return mel[:, : 2 * num_frames].astype(np.float16), labels


def make_shard(folder: Path, plan: ShardPlan) -> Path:
    """Make one shard, unless it is there; a file that is there is complete."""
    path = folder / f"{plan.name}.npz"
    if path.exists():
        return path
    maker = ExampleMaker(json.loads((folder / "inventory.json").read_text()))
    rng = random.Random(plan.seed)
    examples = [maker.draw(TRAINING_PROFILES[plan.profile], rng) for _ in range(SHARD_EXAMPLES)]
    write_shard(path, examples)
    return path


def write_shard(path: Path, examples: Sequence[Example]) -> None:
    """Save examples: the arrays end to end, the rest as JSON."""
    facts = [(e.num_frames, e.language, e.text, e.word_bounds) for e in examples]
    partial = path.with_suffix(".partial.npz")
    np.savez(
        partial,
        mel=np.concatenate([e.mel for e in examples], axis=1),
        phonemes=np.concatenate([e.phonemes for e in examples]).astype(np.uint8),
        facts=np.frombuffer(json.dumps(facts).encode(), np.uint8),
    )
    partial.rename(path)


def read_shard(path: Path) -> Iterator[Example]:
    """The examples of a shard; they share its memory."""
    with np.load(path) as arrays:
        mel, phonemes = arrays["mel"], arrays["phonemes"].astype(np.int64)
        facts = json.loads(arrays["facts"].tobytes())
    at = 0
    for num_frames, language, text, bounds in facts:
        frames = slice(at, at + num_frames)
        sound = mel[:, 2 * at : 2 * (at + num_frames)]
        yield Example(sound, phonemes[frames], language, text, tuple(bounds))
        at += num_frames


def shard_paths(folder: Path) -> list[Path]:
    """The finished shards, in order."""
    return sorted(path for path in folder.glob("*.npz") if ".partial" not in path.name)


def make_corpus(folder: Path, plan: Sequence[ShardPlan]) -> None:
    """Make what is missing of the plan, in its order. `prepare` comes first."""
    for shard in plan:
        start = time.monotonic()
        make_shard(folder, shard)
        print(f"corpus: {shard.name} in {time.monotonic() - start:.1f} s", flush=True)
