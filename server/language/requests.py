"""A caller who asks for a language outright: "can we speak Spanish", "Tagalog na lang po"."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from server.language.resources import language_requests
from server.language.words import words_of

_SLOT = "{language}"

Words = tuple[str, ...]


def requested_language(text: str, languages: Sequence[str]) -> str | None:
    """The one of `languages` that is asked for, in whichever of them; None when none is.

    To ask about a language ("how do you say water in French") is not to ask for it.
    """
    words = tuple(words_of(text))
    parts = {words[start:end] for end in range(len(words) + 1) for start in range(end)}
    for asked_in in languages:
        for wanted in languages:
            requests = _requests(asked_in, wanted)
            if words in requests.alone or not parts.isdisjoint(requests.anywhere):
                return wanted
    return None


@dataclass(frozen=True, slots=True)
class _Requests:
    """Ways to ask for one language in another, as words."""

    anywhere: frozenset[Words]
    alone: frozenset[Words]


@cache
def _requests(asked_in: str, wanted: str) -> _Requests:
    data = language_requests(asked_in)
    names = data.names.get(wanted, ())
    return _Requests(_filled(data.anywhere, names), _filled(data.alone, names))


def _filled(phrases: Iterable[str], names: Iterable[str]) -> frozenset[Words]:
    names = tuple(names)
    return frozenset(
        tuple(words_of(phrase.replace(_SLOT, name))) for phrase in phrases for name in names
    )
