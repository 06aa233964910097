"""Tagalog letters to sounds, by rule.

Tagalog is written almost as it is said; what the letters leave out is the stress and the glottal
stop. Digraphs (ng, ts, dy, sy), glottal stops where vowels meet and at hyphens (pag-asa), and
accents where a text has them (bátà) are rules here; stress of common words, irregular words and
foreign spellings are data (tagalog_words.py, tagalog.toml). A word that neither decides is stressed
on its last syllable but one, unless that syllable is closed.

Sounds are IPA, with the stress mark directly before the stressed vowel, as eSpeak NG writes it.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from engines.tts.english import english_sounds
from engines.tts.tagalog_words import ACCENTS, VOWELS, Stress, plain, stress_of

_DATA_FILE = Path(__file__).with_name("tagalog.toml")
_TOKEN = re.compile(r"\d|[^\W\d_][^\W\d_'’\-]*(?:['’\-]+[^\W\d_'’\-]+)*|[.,;:!?…—]")
SOUNDS = tuple("aeioubdfɡhjklmnŋpɾstwzʔʃʒ")  # all that `to_ipa` gives, tʃ and dʒ as two each
_PUNCTUATION = {"…": ".", "—": ","}

# Consonants between the vowels of a word that may be Tagalog: two at its start, three inside, two
# at its end, none doubled, no letters that only foreign spellings use.
_TAGALOG_LIKE = re.compile(
    r"(?!.*([bdghklmnprstwy])\1)[bdghklmnŋprstwy]{0,2}[aeiou]"
    r"(?:[bdghklmnŋprstwy\-]{0,4}[aeiou])*[bdghklmnŋprstwy]{0,2}"
)
_DOUBLED = re.compile(r"([bcdfghkmnprst])\1")  # ll is a sound of its own
_DIGRAPHS = {"ch": ["tʃ"], "sh": ["ʃ"], "ts": ["tʃ"], "ll": ["l", "j"], "qu": ["k"]}
_DIGRAPHS_BEFORE_VOWEL = {"dy": ["dʒ"], "sy": ["ʃ"]}
_CONSONANTS = {
    **{letter: [letter] for letter in "bdhklmnpstwŋ"},
    "f": ["p"],
    "g": ["ɡ"],
    "j": ["dʒ"],
    "q": ["k"],
    "r": ["ɾ"],
    "v": ["b"],
    "x": ["k", "s"],
    "y": ["j"],
    "z": ["s"],
    "ñ": ["n", "j"],
}
_ESPEAK_MNEMONICS = {
    "tʃ": "tS", "dʒ": "dZ", "ŋ": "N", "ʃ": "S", "ɡ": "g", "ɾ": "R", "ʔ": "?", "ˈ": "'",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Segment:
    """One sound of a word."""

    sound: str
    is_vowel: bool = False
    stressed: bool = False
    glottal: bool = False  # a glottal stop follows, when the word ends here


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The data file, keyed by words in lower case without accents."""

    pronunciations: Mapping[str, str]  # word -> IPA
    respelled: Mapping[str, str]  # word -> Tagalog spelling
    digits: Mapping[str, str]  # digit -> word
    english: frozenset[str]  # words that could be Tagalog's by their letters, or begin a sentence


def to_ipa(text: str) -> str:
    """IPA of a text: words between spaces, punctuation kept at the word before it.

    Characters that are neither letters, digits nor punctuation are left out.
    """
    words: list[str] = []
    for token in _tokens(text):
        if token[0].isalpha():
            words.append(english_sounds(token) if is_english(token) else pronounce(token))
        elif words:
            words[-1] += token
    return " ".join(words)


def to_espeak(text: str) -> str:
    """The text for eSpeak NG's Indonesian voice, with phoneme input enabled.

    Words become `[[mnemonics]]`, one by one, because eSpeak NG does not pause for punctuation
    within brackets; foreign names stay as they are, for the voice's own rules.
    """
    pieces: list[str] = []
    for token in _tokens(text):
        if not token[0].isalpha():
            pieces.append(token)
        elif is_english(token):
            pieces.append(f" [[{_mnemonics(english_sounds(token))}]]")
        elif is_tagalog_like(token):
            pieces.append(f" [[{_mnemonics(pronounce(token))}]]")
        else:
            pieces.append(f" {token}")
    return "".join(pieces).strip()


def english_words() -> frozenset[str]:
    """Those that the data names."""
    return _lexicon().english


def is_english(word: str) -> bool:
    """Whether a word within Tagalog is an English one: it is in the data, or is spelled as no
    Tagalog word is and is no name."""
    if word.lower() in english_words():
        return True
    is_word = word.isascii() and word.isalpha() and word.islower() and set(word) & set(VOWELS)
    return bool(is_word) and not is_tagalog_like(word)


def is_tagalog_like(word: str) -> bool:
    """Whether the rules can be trusted with this word: it is in the data, or is spelled so."""
    bare = plain(word)
    lexicon = _lexicon()
    if bare in lexicon.pronunciations or bare in lexicon.respelled:
        return True
    return _TAGALOG_LIKE.fullmatch(_letters(bare)) is not None or stress_of(bare) is not None


def pronounce(word: str) -> str:
    """IPA of one word. Accents in its spelling go before the lexicon's."""
    spelled = unicodedata.normalize("NFC", word.lower())
    lexicon = _lexicon()
    bare = plain(spelled)
    if bare in lexicon.pronunciations:
        return lexicon.pronunciations[bare]
    if bare in lexicon.respelled:
        spelled = lexicon.respelled[bare]
    elif spelled == bare and (known := stress_of(bare)) is not None:
        return _join(_as_known(_segments(bare), known))
    return _join(_stress(_segments(spelled)))


def _tokens(text: str) -> Iterator[str]:
    for token in _TOKEN.findall(unicodedata.normalize("NFC", text)):
        if token.isdigit():
            yield _lexicon().digits.get(token, token)
        else:
            yield _PUNCTUATION.get(token, token)


def _letters(spelled: str) -> str:
    """A word with one letter for ng, and without apostrophes (ano'ng)."""
    return spelled.replace("ng", "ŋ").replace("'", "").replace("’", "")


def _segments(spelled: str) -> list[Segment]:
    letters = _DOUBLED.sub(r"\1", _letters(spelled))
    segments: list[Segment] = []
    position = 0
    while position < len(letters):
        vowel = _vowel(letters[position])
        if vowel is not None:
            if segments and segments[-1].is_vowel:
                segments.append(Segment("ʔ"))
            segments.append(vowel)
            position += 1
            continue
        sounds, length = _consonants(letters, position)
        segments.extend(Segment(sound) for sound in sounds)
        position += length
    return segments


def _vowel(letter: str) -> Segment | None:
    decomposed = unicodedata.normalize("NFD", letter)
    base, marks = decomposed[0], decomposed[1:]
    if base not in VOWELS:
        return None
    stressed, glottal = ACCENTS.get(marks, (False, False))
    return Segment(base, is_vowel=True, stressed=stressed, glottal=glottal)


def _consonants(letters: str, position: int) -> tuple[list[str], int]:
    """The sounds that begin at a letter which is no vowel, and how many letters they take."""
    pair, following = letters[position : position + 2], letters[position + 2 : position + 3]
    if pair in _DIGRAPHS:
        return _DIGRAPHS[pair], 2
    if pair in _DIGRAPHS_BEFORE_VOWEL and following and _vowel(following):
        return _DIGRAPHS_BEFORE_VOWEL[pair], 2
    letter, after = pair[0], pair[1:]
    if letter == "-":
        divides = position > 0 and not _vowel(letters[position - 1]) and after and _vowel(after)
        return (["ʔ"] if divides else []), 1
    if letter == "c":
        return (["s"] if after and after in "eiéíy" else ["k"]), 1
    return _CONSONANTS.get(letter, []), 1


def _as_known(segments: list[Segment], known: Stress) -> list[Segment]:
    """With the stress that lexicon and affixes give."""
    vowels = [index for index, segment in enumerate(segments) if segment.is_vowel]
    target = vowels[-1 - min(known.from_end, len(vowels) - 1)]
    return [
        replace(s, stressed=index == target, glottal=known.is_glottal and index == vowels[-1])
        for index, s in enumerate(segments)
    ]


def _stress(segments: list[Segment]) -> list[Segment]:
    """Exactly one stressed vowel: the last one marked, or where the rule puts it."""
    vowels = [index for index, segment in enumerate(segments) if segment.is_vowel]
    if not vowels:
        return segments
    marked = [index for index in vowels if segments[index].stressed]
    target = marked[-1] if marked else _default_stress(segments, vowels)
    return [replace(s, stressed=index == target) for index, s in enumerate(segments)]


def _default_stress(segments: list[Segment], vowels: list[int]) -> int:
    """Last but one; the last, if the one before is closed (bundók, but Mártes, sóbra)."""
    if len(vowels) == 1:
        return vowels[0]
    before, last = vowels[-2:]
    num_between = last - before - 1
    onset_cluster = num_between == 2 and segments[last - 1].sound in "jwɾl"
    closed = num_between >= 2 and not onset_cluster
    return last if closed and segments[-1].sound != "s" else before


def _join(segments: list[Segment]) -> str:
    sounds = [("ˈ" if s.stressed else "") + s.sound for s in segments]
    if segments and segments[-1].glottal:
        sounds.append("ʔ")
    return "".join(sounds)


def _mnemonics(ipa: str) -> str:
    for sound, mnemonic in _ESPEAK_MNEMONICS.items():
        ipa = ipa.replace(sound, mnemonic)
    return ipa


@cache
def _lexicon() -> Lexicon:
    data: dict[str, Any] = tomllib.loads(_DATA_FILE.read_text(encoding="utf-8"))
    return Lexicon(
        pronunciations=data["pronunciations"],
        respelled=data["respelled"],
        digits=data["digits"],
        english=frozenset(data["english"].split()),
    )
