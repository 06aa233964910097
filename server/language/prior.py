"""What is known of a caller's language before they say a word: where they call from, or what their
browser asks for. Pure: it gives odds for `LanguageBelief.begin`, empty where nothing is known."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache

from server.language.resources import read

Odds = Mapping[str, float]  # of a language to each that is not named

_STRONGEST = 4.0  # of the likeliest; a clear sentence in another language outweighs it
_NEXT = 2.0  # of the others that are named
_CODE_DIGITS = (3, 2, 1)  # of calling codes, none of which begins another
_ALIASES = {"fil": "tl"}  # of codes that browsers use
_RANGE = re.compile(r"\s*([A-Za-z]{2,3})(?:[-_][\w-]*)?\s*(?:;\s*q\s*=\s*([01](?:\.\d*)?))?\s*")


def prior_of_number(number: str, languages: Sequence[str]) -> Odds:
    """Of a telephone number in international form: "+639171234567" (E.164), blanks allowed."""
    digits = re.sub(r"\D", "", number)
    if not number.strip().startswith("+"):
        return {}
    for length in _CODE_DIGITS:
        spoken = _calling_codes().get(digits[:length])
        if spoken is not None:
            return _odds(spoken, languages)
    return {}


def prior_of_browser(accept_language: str, languages: Sequence[str]) -> Odds:
    """Of an Accept-Language header: "fil-PH,fil;q=0.9,en;q=0.8" (RFC 9110, 12.5.4)."""
    weights: dict[str, float] = {}
    for part in accept_language.split(","):
        found = _RANGE.fullmatch(part)
        if found:
            code = _ALIASES.get(found[1].lower(), found[1].lower())
            weights[code] = max(weights.get(code, 0.0), float(found[2] or 1.0))
    wanted = sorted((code for code in weights if weights[code] > 0), key=lambda c: -weights[c])
    return _odds(wanted, languages)


def prior_of_choice(language: str, languages: Sequence[str]) -> Odds:
    """Of a language that the client names as its caller's, without making it the only one."""
    return _odds([language], languages)


def _odds(spoken: Sequence[str], languages: Sequence[str]) -> Odds:
    known = [language for language in spoken if language in languages]
    return {code: _NEXT if place else _STRONGEST for place, code in enumerate(known)}


@cache
def _calling_codes() -> Mapping[str, Sequence[str]]:
    codes: dict[str, list[str]] = tomllib.loads(read(".", "calling_codes.toml"))
    return codes
