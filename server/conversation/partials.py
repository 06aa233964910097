"""Words of the caller while they still speak.

What was said so far is transcribed again and again; words that two runs in a row agree upon are
stable and are told once. Source: LocalAgreement-2 (Liu, Spanakis and Niehues 2020, arXiv
2005.11185; Macháček, Dabre and Bojar 2023, arXiv 2307.14743).
"""


class LocalAgreement:
    """Stable words of one utterance."""

    def __init__(self) -> None:
        self._previous: list[str] = []
        self._told: list[str] = []

    @property
    def stable(self) -> str:
        """All that was told."""
        return " ".join(self._told)

    def agree(self, text: str) -> str:
        """What to append to what was told so far, after one more transcription."""
        words = text.split()
        stable = _common_prefix(self._previous, words)
        self._previous = words
        fresh = stable[len(self._told) :]
        if not fresh or stable[: len(self._told)] != self._told:
            return ""
        joined = " ".join(fresh)
        delta = f" {joined}" if self._told else joined
        self._told = stable
        return delta


def _common_prefix(first: list[str], second: list[str]) -> list[str]:
    prefix: list[str] = []
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        prefix.append(one)
    return prefix
