"""The voices that can be chosen, by name."""

from collections.abc import Iterable

from engines.config import TtsConfig
from engines.tts import ALWAYS_THERE

DEFAULT_VOICE = "default"  # of whatever language is spoken
# Names that stock clients send: the default voice, unless a voice of ours is named so.
OPENAI_VOICES = frozenset(
    (
        *("alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin"),
        *("nova", "onyx", "sage", "shimmer", "verse"),
    )
)


def voices_of(config: TtsConfig, language: str) -> list[str]:
    """The names of a language's voices, its default first."""
    voices = [voice for voice in config.voices if voice.language == language]
    names = [voice.name or f"{voice.engine}-{voice.language}" for voice in voices]
    return list(dict.fromkeys([*names, ALWAYS_THERE]))


def all_voices(config: TtsConfig, languages: Iterable[str]) -> frozenset[str]:
    """The names of all voices of these languages."""
    return frozenset(name for language in languages for name in voices_of(config, language))
