"""In which language is this text? A rough check that shares nothing with the server's own.

Hindi is known by its script, the others by frequent words: the language with most of them wins.
That is enough to tell an English sentence from a Tagalog one, and not more: names, numbers and
very short texts leave it undecided, and it says so.
"""

import re
import tomllib
import unicodedata
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("language_cues.toml")
_WORD = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")


def guess_languages(text: str) -> frozenset[str]:
    """The languages that the text may be in; empty when nothing speaks for any of the five."""
    if share_of_devanagari(text) >= 0.5:
        return frozenset({"hi"})
    words = [word.lower().replace("’", "'") for word in _WORD.findall(text)]
    scores = {
        language: sum(word in cues for word in words) for language, cues in _cue_words().items()
    }
    best = max(scores.values())
    return frozenset(language for language, score in scores.items() if score == best and best)


def share_of_devanagari(text: str) -> float:
    """Of its letters, 0 to 1; 0 for a text without letters."""
    letters = [letter for letter in text if letter.isalpha()]
    devanagari = [letter for letter in letters if "DEVANAGARI" in unicodedata.name(letter, "")]
    return len(devanagari) / len(letters) if letters else 0.0


@cache
def _cue_words() -> dict[str, frozenset[str]]:
    cues = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return {language: frozenset(words.split()) for language, words in cues.items()}
