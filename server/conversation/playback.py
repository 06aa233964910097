"""How much of an answer the caller has heard, by the clock of the audio that was sent."""

from collections.abc import Sequence
from itertools import pairwise

from server.language.spoken import Spoken

USUAL_CHARACTERS_PER_SECOND = 15  # of speech: until a piece is made, its length is not known

REPORT_SECONDS = 0.5  # that a report may be late; a client further behind the clock has stalled


class Playback:
    """One answer as it plays at the client, who plays what it gets without a pause.

    Times are seconds of the event loop's clock. A client may report what it has played. A report
    is late by its way here, so that the clock knows better; but the clock does not know of a client
    that stalls, and there the report is believed.
    """

    def __init__(self, *, is_reported: bool = False) -> None:
        self._reported_seconds = 0.0 if is_reported else None
        self._pieces: list[tuple[Spoken, float]] = []  # and seconds of audio sent for each
        self._lengths_seconds: list[float] = []  # of all the audio of each piece, once it is made
        self._marks: dict[int, list[tuple[float, int]]] = {}  # seconds and characters, by piece
        self._ends_at = 0.0

    def mark(self, characters: int, seconds: float) -> None:
        """Of the piece in the making, so much of what is spoken is over so long into its audio."""
        self._marks.setdefault(len(self._lengths_seconds), []).append((seconds, characters))

    def made(self, seconds: float) -> None:
        """The audio of the next piece is complete, and this long."""
        self._lengths_seconds.append(seconds)

    def begin_piece(self, text: str, spoken: Spoken | None = None) -> None:
        """The audio from here on speaks this text, in these words if they are others."""
        self._pieces.append((spoken or Spoken.as_written(text), 0.0))

    def play(self, seconds: float, now: float) -> None:
        """This much more audio was sent."""
        self._ends_at = max(self._ends_at, now) + seconds
        if self._pieces:
            spoken, sent_seconds = self._pieces[-1]
            self._pieces[-1] = (spoken, sent_seconds + seconds)

    def report(self, seconds: float) -> None:
        """The client has played this much more."""
        self._reported_seconds = (self._reported_seconds or 0.0) + seconds

    def take_back(self, seconds: float) -> None:
        """The client drops this much of what it was sent, and has nothing left to play."""
        spoken, sent_seconds = self._pieces[-1]
        self._pieces[-1] = (spoken, max(0.0, sent_seconds - seconds))  # sums are not exact
        self._ends_at = 0.0
        self._reported_seconds = self.sent_seconds

    @property
    def sent_seconds(self) -> float:
        """All the audio that was sent."""
        return sum(seconds for _, seconds in self._pieces)

    def ahead_seconds(self, now: float) -> float:
        """Audio that was sent and that the caller has not heard yet."""
        return max(0.0, self._ends_at - now)

    def heard_seconds(self, now: float) -> float:
        """Audio that the caller has heard."""
        by_clock = max(0.0, self.sent_seconds - self.ahead_seconds(now))
        reported = self._reported_seconds
        if reported is None or reported <= by_clock <= reported + REPORT_SECONDS:
            return by_clock
        return reported

    def heard_text(self, heard_seconds: float) -> str:
        """The words that lie wholly within the first `heard_seconds`, by the voice's marks, and
        where it makes none evenly by characters of what is spoken."""
        heard = ""
        for index, (spoken, sent_seconds) in enumerate(self._pieces):
            made = index < len(self._lengths_seconds)
            usual_seconds = len(spoken.text) / USUAL_CHARACTERS_PER_SECOND
            seconds = self._lengths_seconds[index] if made else max(sent_seconds, usual_seconds)
            if heard_seconds < seconds:
                marks = [(0.0, 0), *self._marks.get(index, ()), (seconds, len(spoken.text))]
                end = spoken.source_end(_characters_over(marks, heard_seconds))
                return (heard + spoken.source[:end]).rstrip()
            heard += spoken.source
            heard_seconds -= seconds
        return heard.rstrip()


def _characters_over(marks: Sequence[tuple[float, int]], seconds: float) -> int:
    """Between two marks evenly."""
    for (before, over), (after, more) in pairwise(marks):
        if seconds < after:
            return over + int((more - over) * max(0.0, seconds - before) / (after - before))
    return marks[-1][1]
