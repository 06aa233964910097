"""Whisper makes things up when nobody speaks: these guards say when not to trust a decoding.

Each guard has a name, which travels in `Transcript.rejected_by`. The thresholds of "no_speech", in
the configuration, are those of the original Whisper; the others were chosen for short turns on the
phone.
"""

import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from engines.config import SttConfig

NO_SPEECH = "no_speech"
LOOP = "loop"
TOO_MANY_TOKENS = "too_many_tokens"
HALLUCINATION = "hallucination"
ENDLESS = (LOOP, TOO_MANY_TOKENS)  # other windows or some randomness may end it

MAX_CHARACTERS_PER_SECOND = 25  # hurried Spanish has about 20
SPARE_TOKENS = 10
TOKENS_PER_CHARACTER = 1.5  # of a language without a sample: byte tokens, two bytes a letter

MIN_LOOP_TOKENS = 12  # somebody may well say "no, no, no, no"

SHORT_SECONDS = 0.5
UNSURE_TOKEN_PROBABILITY = 0.6

_DATA = Path(__file__).with_name("languages.toml")


@dataclass(frozen=True, slots=True)
class LanguageData:
    """What the guards know of one language."""

    sample: str
    hallucinations: frozenset[str]


@cache
def language_data() -> Mapping[str, LanguageData]:
    """`languages.toml`, by language."""
    with _DATA.open("rb") as file:
        tables = tomllib.load(file)
    return {
        language: LanguageData(
            table["sample"], frozenset(spoken_words(text) for text in table["hallucinations"])
        )
        for language, table in tables.items()
    }


def max_tokens(audio_seconds: float, tokens_per_character: float) -> int:
    """The most tokens that anyone can say in this time."""
    return SPARE_TOKENS + int(audio_seconds * MAX_CHARACTERS_PER_SECOND * tokens_per_character)


def is_no_speech(
    no_speech_probability: float, mean_log_probability: float, config: SttConfig
) -> bool:
    """Whisper's own test: probably no speech, and what was decoded is improbable as well."""
    return (
        no_speech_probability > config.no_speech_threshold
        and mean_log_probability < config.log_probability_threshold
    )


def is_loop(tokens: Sequence[int], repeats: int) -> bool:
    """A phrase of any length is said so many times in a row: a decoder goes in circles.

    Compression ratio, which Whisper uses for this, says little about short text.
    """
    return any(
        _longest_run(tokens, length) >= max(MIN_LOOP_TOKENS, repeats * length)
        for length in range(1, len(tokens) // repeats + 1)
    )


def _longest_run(tokens: Sequence[int], length: int) -> int:
    """Tokens in the longest stretch in which every token equals the one `length` before it."""
    longest = matching = 0
    for earlier, later in zip(tokens, tokens[length:], strict=False):
        matching = matching + 1 if earlier == later else 0
        longest = max(longest, matching)
    return longest + length if longest else 0


def is_hallucination(
    text: str, language: str, *, mean_token_probability: float, audio_seconds: float
) -> bool:
    """A phrase that Whisper says on silence, where the model is unsure or there is hardly audio."""
    doubtful = mean_token_probability < UNSURE_TOKEN_PROBABILITY or audio_seconds < SHORT_SECONDS
    data = language_data().get(language)
    return doubtful and data is not None and spoken_words(text) in data.hallucinations


def spoken_words(text: str) -> str:
    """Lower case, punctuation to spaces (apostrophes stay), marks of the script kept."""
    kept = (
        character if character in "'’" or unicodedata.category(character)[0] in "LMN" else " "
        for character in unicodedata.normalize("NFC", text.lower())
    )
    return " ".join("".join(kept).replace("’", "'").split())
