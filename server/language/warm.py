"""What takes a moment to be read for the first time is read before the first call."""

from collections.abc import Iterable

from server.language.pivot import lost_in_translation
from server.language.router import complexity_of


def warm(languages: Iterable[str]) -> None:
    """The tables that a turn in these languages needs; a second or less."""
    for language in languages:
        complexity_of("Why nine, Ana?", language)
        lost_in_translation("Why nine, Ana?", "en", "Why nine, Ana?", language)
