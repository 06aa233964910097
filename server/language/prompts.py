"""What a model is told, in the words of each language's own `prompts.toml`."""

import tomllib
from enum import StrEnum
from functools import cache

from server.language.resources import read


class Prompt(StrEnum):
    """One of a language's prompts; in brackets what is filled in."""

    DIRECT = "direct"  # answer in the language
    EAR = "ear"  # added where the model is to know that it is heard, not read
    LATIN = "latin"  # added where its Latin letters are answered in Latin letters
    ENGLISH = "english"  # answer in English, to be translated
    TRANSLATOR = "translator"  # translate into the language
    TRANSLATE = "translate"  # this [text]
    NOTES = "notes"  # state facts and reason in English
    NATIVE_NOTES = "native_notes"  # the same in the language
    ANSWER = "answer"  # the [question], by these [notes], in the language


def prompt(which: Prompt, language: str, **filled_in: str) -> str:
    """One of the prompts; empty for a language that has none of this kind."""
    return _prompts(language).get(which.value, "").format(**filled_in)


@cache
def _prompts(language: str) -> dict[str, str]:
    return tomllib.loads(read(language, "prompts.toml"))
