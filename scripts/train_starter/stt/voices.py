"""Who speaks, how, and where: the profiles that utterances are drawn from."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from evaluation.degradation import Samples
from scripts.train_starter.stt import augment
from scripts.train_starter.stt.augment import Conditions
from scripts.train_starter.stt.speech import Speech, Synthesizer, Voice

# The first of a language is the one that the demonstration's caller has.
VOICES: Mapping[str, tuple[str, ...]] = {
    "en": ("en-us", "en", "en-gb-x-rp", "en-gb-scotland"),
    "es": ("es-419", "es"),
    "fr": ("fr", "fr-be", "fr-ch"),
    "hi": ("hi",),
    "tl": ("id",),
}
COMMON_VARIANTS = ("", "", "", "+f2", "+f3", "+m3")
VARIANTS = (
    *("", "+m1", "+m2", "+m3", "+m4", "+m5", "+m7", "+f1", "+f2", "+f3", "+f4", "+f5"),
    *("+klatt", "+klatt2", "+klatt3", "+steph", "+adam", "+linda", "+Michael", "+anika"),
    *("+Andrea", "+Annie", "+Denis", "+Diogo", "+Gene", "+Henrique", "+Hugo", "+Lee", "+Marco"),
    *("+Mario", "+Mike", "+antonio", "+aunty", "+belinda", "+benjamin", "+boris", "+caleb"),
    *("+david", "+ed", "+edward", "+grandma", "+grandpa", "+gustave", "+ian", "+iven", "+john"),
    *("+marcelo", "+michel", "+miguel", "+norbert", "+pablo", "+paul", "+pedro", "+quincy"),
    *("+rob", "+robert", "+sandro", "+shelby", "+steph2", "+travis", "+victor", "+zac"),
)
UNSEEN_VARIANTS = ("+m6", "+m8", "+Alicia", "+klatt4", "+Andy")  # for evaluation only


@dataclass(frozen=True, slots=True)
class Profile:
    """A population of speakers and places."""

    common_share: float  # the first voice of the language, in its commonest variants
    variants: tuple[str, ...]  # of the others
    words_per_minute: tuple[int, int]
    pitch: tuple[int, int]
    conditions: Conditions
    nothing_share: float = 0.0  # silence and noise


PLAIN = Profile(1.0, COMMON_VARIANTS, (150, 190), (35, 65), augment.QUIET, 0.03)
WIDE = Profile(0.35, VARIANTS, (140, 225), (20, 80), augment.NOISY, 0.04)
TRAINING_PROFILES: Mapping[str, Profile] = {"plain": PLAIN, "wide": WIDE}
SEEN = Profile(0.35, VARIANTS, (145, 205), (25, 75), augment.NOISY)
DEMO = Profile(1.0, COMMON_VARIANTS, (150, 180), (40, 60), augment.QUIET)
UNSEEN = Profile(0.0, UNSEEN_VARIANTS, (145, 205), (25, 75), augment.NOISY)


def draw_voice(language: str, profile: Profile, rng: random.Random) -> Voice:
    """One speaker of a population."""
    if rng.random() < profile.common_share:
        name = VOICES[language][0] + rng.choice(COMMON_VARIANTS)
    else:
        name = rng.choice(VOICES[language]) + rng.choice(profile.variants)
    rate = rng.randint(*profile.words_per_minute)
    return Voice(name, rate, rng.randint(*profile.pitch))


def perform(
    text: str,
    language: str,
    profile: Profile,
    synthesizer: Synthesizer,
    rng: random.Random,
) -> tuple[Samples, Speech, int]:
    """What a server hears, the speech as spoken, and by how many samples it has moved."""
    speech = synthesizer.say(text, language, draw_voice(language, profile, rng))
    noise_rng = np.random.default_rng(rng.getrandbits(32))
    samples, shift = augment.degrade(speech.samples, profile.conditions, noise_rng)
    return samples, speech, shift
