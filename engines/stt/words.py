"""When each word was said, from the attention that the decoder paid to the audio.

The alignment is that of the original Whisper (cross-attention, dynamic time warping), computed by
CTranslate2; here its tokens become words.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

TOKEN_SECONDS = 0.02  # of audio for each step of an alignment


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word with its punctuation, and when it was said."""

    text: str
    start_seconds: float
    end_seconds: float

    def later(self, seconds: float) -> "SpokenWord":
        """The word of a window that itself begins so late in the audio."""
        return replace(
            self, start_seconds=self.start_seconds + seconds, end_seconds=self.end_seconds + seconds
        )


def token_starts(path: Sequence[tuple[int, int]], num_tokens: int) -> list[float]:
    """When each of `num_tokens` tokens begins, and when the last one ends, in seconds.

    `path` is the alignment, (token, step) pairs that never decrease.
    """
    starts: dict[int, float] = {}
    for token, step in path:
        starts.setdefault(token, step * TOKEN_SECONDS)
    end = (path[-1][1] + 1) * TOKEN_SECONDS if path else 0.0
    return [starts.get(token, end) for token in range(num_tokens + 1)]


def spoken_words(
    groups: Sequence[tuple[str, int]], starts: Sequence[float]
) -> tuple[SpokenWord, ...]:
    """Words from their texts and numbers of tokens. `starts` has one time more than tokens."""
    words = []
    first = 0
    for text, count in groups:
        after = first + count
        words.append(SpokenWord(text, starts[first], starts[after]))
        first = after
    return tuple(words)
