"""Plain lines for people, in colour where a terminal shows it."""

import os
from typing import TextIO

_BOLD, _DIM, _RED, _GREEN = "1", "2", "31", "32"


class Terminal:
    """Prints at once, so that what happens in real time is seen in real time."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._has_colour = stream.isatty() and "NO_COLOR" not in os.environ

    def line(self, text: str = "") -> None:
        """A plain line."""
        print(text, file=self._stream, flush=True)

    def heading(self, text: str) -> None:
        """The title of a part, after an empty line."""
        self.line()
        self.line(self._paint(text, _BOLD))

    def aside(self, text: str) -> None:
        """What matters less."""
        self.line(self._paint(text, _DIM))

    def success(self, text: str) -> None:
        """It went well."""
        self.line(self._paint(text, _GREEN))

    def failure(self, text: str) -> None:
        """It did not."""
        self.line(self._paint(text, _RED))

    def _paint(self, text: str, code: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self._has_colour else text
