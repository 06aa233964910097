"""Where a Tagalog word is stressed and whether it ends in a glottal stop: lexicon and affixes.

A form follows its root. Prefixes, infixes (k-um-ain, t-in-awag) and a reduplicated first syllable
(ta-tawag) leave the end of the word, and so the stress, as it is. The suffixes -in, -an, -hin and
-han move it by one syllable, which leaves it as far from the end as it was: súlat, sulátin; bilí,
bilhín. The linkers -ng and -g and the clipped at ('t) close the last syllable and take the place of
its glottal stop: bátà, bátang.
"""

import tomllib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

VOWELS = "aeiou"
ACCENTS = {"\u0301": (True, False), "\u0300": (False, True), "\u0302": (True, True)}
_LEXICON_FILE = Path(__file__).with_name("tagalog_stress.txt")
_PREFIX_FILE = Path(__file__).with_name("tagalog.toml")
_SUFFIXES = ("hin", "han", "in", "an")
_INFIXES = ("um", "in")
_SHORTEST_ROOT = 3  # letters
_MOST_AFFIXES = 3


@dataclass(frozen=True, slots=True)
class Stress:
    """What the letters leave out of a word's sounds."""

    from_end: int  # the stressed vowel, counted from the last, which is 0
    is_glottal: bool = False  # a glottal stop follows the last vowel


def stress_of(word: str) -> Stress | None:
    """Of a word in lower case without accents; None when neither it nor its root is known."""
    return _stress_of(word.replace("’", "'"), _MOST_AFFIXES)


def plain(word: str) -> str:
    """Lower case, without the accents that mark stress and glottal stops (ñ stays)."""
    decomposed = unicodedata.normalize("NFD", word.lower())
    kept = "".join(mark for mark in decomposed if mark not in ACCENTS)
    return unicodedata.normalize("NFC", kept)


@cache
def lexicon() -> dict[str, Stress]:
    """By words in lower case without accents."""
    lines = _LEXICON_FILE.read_text(encoding="utf-8").splitlines()
    words = [word for line in lines if not line.startswith("#") for word in line.split()]
    return {plain(word): _marked(word) for word in words}


@cache
def prefixes() -> tuple[str, ...]:
    """What may stand before a root, the shortest first."""
    data = tomllib.loads(_PREFIX_FILE.read_text(encoding="utf-8"))
    return tuple(data["prefixes"].split())


def _marked(word: str) -> Stress:
    vowels = list(_vowels_with_marks(word))
    is_glottal = vowels[-1][1]
    marked = [index for index, (is_stressed, _) in enumerate(vowels) if is_stressed]
    if marked:
        return Stress(len(vowels) - 1 - marked[-1], is_glottal)
    return Stress(min(1, len(vowels) - 1), is_glottal)


def _vowels_with_marks(word: str) -> Iterator[tuple[bool, bool]]:
    for letter in unicodedata.normalize("NFC", word.lower()):
        decomposed = unicodedata.normalize("NFD", letter)
        if decomposed[0] in VOWELS:
            yield ACCENTS.get(decomposed[1:], (False, False))


def _stress_of(word: str, num_affixes: int) -> Stress | None:
    known = lexicon().get(word)
    if known is not None:
        return known
    if (linked := _linked(word, num_affixes)) is not None:
        return replace(linked, is_glottal=False)
    if num_affixes == 0:
        return None
    if "-" in word:  # mag-aral, gabi-gabi
        return _stress_of(word.rpartition("-")[2], num_affixes - 1)
    for root in _without_prefix(word):
        if (stress := _stress_of(root, num_affixes - 1)) is not None:
            return stress
    for root in _without_suffix(word):
        if (stress := _stress_of(root, num_affixes - 1)) is not None:
            return replace(stress, is_glottal=False)
    return None


def _linked(word: str, num_affixes: int) -> Stress | None:
    """Of the word before its linker."""
    for ending, last in (("'t", tuple(VOWELS)), ("ng", tuple(VOWELS)), ("g", ("n",))):
        base = word.removesuffix(ending)
        stress = _stress_of(base, num_affixes) if base != word and base.endswith(last) else None
        if stress is not None:
            return stress
    return None


def _without_prefix(word: str) -> Iterator[str]:
    """What may be left of a word without what was put before or into its root."""
    if (root := _once(word)) is not None:
        yield root
    for infix in _INFIXES:
        onset = _onset(word)
        rest = word[len(onset) :]
        if onset and rest.startswith(infix) and rest[2:3] and rest[2] in VOWELS:
            yield onset + rest[2:]
    for prefix in prefixes():
        root = word.removeprefix(prefix).removeprefix("-")
        if root != word and len(root) >= _SHORTEST_ROOT:
            yield root


def _once(word: str) -> str | None:
    """A word whose first syllable, without its final consonants, stands there twice."""
    onset = _onset(word)
    rest = word[len(onset) + 1 :].removeprefix("-")
    if not rest or len(onset) >= len(word):
        return None
    second = _onset(rest)
    vowel = rest[len(second) : len(second) + 1]
    is_twice = second.startswith(onset) and bool(onset or not second)
    return rest if is_twice and vowel == word[len(onset)] else None


def _onset(word: str) -> str:
    return word[: len(word) - len(word.lstrip("bcdfghjklmnpqrstvwxyz"))]


def _without_suffix(word: str) -> Iterator[str]:
    for suffix in _SUFFIXES:
        root = word.removesuffix(suffix)
        if root != word and len(root) >= _SHORTEST_ROOT:
            yield from _with_last_vowel(root)


def _with_last_vowel(root: str) -> Iterator[str]:
    """The root as it is, and with the o or e of a last syllable that a suffix turns to u or i."""
    yield root
    last = max((root.rfind(vowel) for vowel in VOWELS), default=-1)
    if last >= 0 and root[last] in "ui":
        yield f"{root[:last]}{'o' if root[last] == 'u' else 'e'}{root[last + 1 :]}"
