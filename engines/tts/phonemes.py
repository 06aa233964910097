"""Sounds by their features: the nearest that a voice knows, for one that it never saw.

Places, manners and vowels as in the IPA's chart (International Phonetic Association, 2020).
"""

from collections.abc import Collection
from dataclasses import dataclass

_MANNER_COST, _VOICING_COST = 2.0, 1.0
_FARTHEST = 4.0  # what is farther is no likeness: better left out


@dataclass(frozen=True, slots=True)
class Consonant:
    """`place` counts from the lips (0) to the glottis (7)."""

    place: float
    manner: str
    is_voiced: bool


@dataclass(frozen=True, slots=True)
class Vowel:
    """`height` 0 open to 3 close, `backness` 0 front to 2 back."""

    height: float
    backness: float
    is_rounded: bool


_CONSONANTS = {
    "p": Consonant(0, "stop", False), "b": Consonant(0, "stop", True),
    "m": Consonant(0, "nasal", True), "β": Consonant(0, "fricative", True),
    "w": Consonant(2, "approximant", True), "f": Consonant(0.5, "fricative", False),
    "v": Consonant(0.5, "fricative", True), "ʋ": Consonant(0.5, "approximant", True),
    "θ": Consonant(1, "fricative", False), "ð": Consonant(1, "fricative", True),
    "t": Consonant(1.5, "stop", False), "d": Consonant(1.5, "stop", True),
    "n": Consonant(1.5, "nasal", True), "s": Consonant(1.5, "sibilant", False),
    "z": Consonant(1.5, "sibilant", True), "l": Consonant(1.5, "lateral", True),
    "r": Consonant(1.5, "rhotic", True), "ɾ": Consonant(1.6, "rhotic", True),
    "ɹ": Consonant(1.8, "rhotic", True), "ʃ": Consonant(2, "sibilant", False),
    "ʒ": Consonant(2, "sibilant", True), "ʂ": Consonant(2.3, "sibilant", False),
    "ɲ": Consonant(3, "nasal", True), "ʝ": Consonant(3, "fricative", True),
    "ç": Consonant(3, "fricative", False), "j": Consonant(3, "approximant", True),
    "ʎ": Consonant(3, "lateral", True), "k": Consonant(4, "stop", False),
    "ɡ": Consonant(4, "stop", True), "g": Consonant(4, "stop", True),
    "ŋ": Consonant(4, "nasal", True), "x": Consonant(4, "fricative", False),
    "ɣ": Consonant(4, "fricative", True), "ʁ": Consonant(5, "rhotic", True),
    "χ": Consonant(5, "fricative", False), "h": Consonant(7, "fricative", False),
    "ɦ": Consonant(7, "fricative", True), "ʔ": Consonant(7, "stop", False),
}  # fmt: skip
_VOWELS = {
    "i": Vowel(3, 0, False), "y": Vowel(3, 0, True), "ɪ": Vowel(2.6, 0.3, False),
    "u": Vowel(3, 2, True), "ʊ": Vowel(2.6, 1.7, True), "e": Vowel(2, 0, False),
    "ø": Vowel(2, 0, True), "o": Vowel(2, 2, True), "ə": Vowel(1.5, 1, False),
    "ɛ": Vowel(1, 0, False), "œ": Vowel(1, 0, True), "ɔ": Vowel(1, 2, True),
    "ʌ": Vowel(1, 2, False), "æ": Vowel(0.5, 0, False), "ɐ": Vowel(0.5, 1, False),
    "a": Vowel(0, 0.5, False), "ɑ": Vowel(0, 2, False),
}  # fmt: skip


def nearest(sound: str, known: Collection[str]) -> str | None:
    """The sound itself or the likest of those that are known; None when none is like it.

    A glottal stop is like nothing but itself: where it is not known, it is left out.
    """
    if sound in known or sound == "ʔ":
        return sound if sound in known else None
    candidates = sorted((distance(sound, other), other) for other in known)
    if not candidates or candidates[0][0] > _FARTHEST:
        return None
    return candidates[0][1]


def distance(one: str, other: str) -> float:
    """0 for the same sound; infinite between a vowel and a consonant, or for what is no sound."""
    if one in _VOWELS and other in _VOWELS:
        a, b = _VOWELS[one], _VOWELS[other]
        rounding = _VOICING_COST * (a.is_rounded != b.is_rounded)
        return abs(a.height - b.height) + abs(a.backness - b.backness) + rounding
    if one in _CONSONANTS and other in _CONSONANTS:
        return _between(_CONSONANTS[one], _CONSONANTS[other])
    return 0.0 if one == other else float("inf")


def _between(a: Consonant, b: Consonant) -> float:
    manner = _MANNER_COST * (a.manner != b.manner)
    return abs(a.place - b.place) + manner + _VOICING_COST * (a.is_voiced != b.is_voiced)
