"""A caller who asks for a language outright: "can we speak Spanish", "Tagalog na lang po"."""

from collections.abc import Sequence

from server.language.resources import LanguageRequests, language_requests
from server.language.words import words_of

_SLOT = "{language}"

Words = tuple[str, ...]


def requested_language(text: str, languages: Sequence[str]) -> str | None:
    """The one of `languages` that is asked for, in whichever of them; None when none is.

    To ask about a language ("how do you say water in French") is not to ask for it.
    """
    words = tuple(words_of(text))
    for asked_in in languages:
        requests = language_requests(asked_in)
        for wanted in languages:
            if _is_asked_for(words, wanted, requests):
                return wanted
    return None


def _is_asked_for(words: Words, language: str, requests: LanguageRequests) -> bool:
    for name in requests.names.get(language, ()):
        if any(_filled(phrase, name) == words for phrase in requests.alone):
            return True
        if any(_contains(words, _filled(phrase, name)) for phrase in requests.anywhere):
            return True
    return False


def _filled(phrase: str, name: str) -> Words:
    return tuple(words_of(phrase.replace(_SLOT, name)))


def _contains(words: Words, part: Words) -> bool:
    return any(words[n : n + len(part)] == part for n in range(len(words) - len(part) + 1))
