"""One line that says how far a file is: in place on a terminal, now and then elsewhere."""

import sys
import time
from typing import TextIO

_WIDTH = 24
_SECONDS_ON_A_TERMINAL = 0.1
_SECONDS_ELSEWHERE = 10.0


def size(number: float) -> str:
    """Bytes for people: "484 MB"."""
    for unit in ("B", "kB", "MB"):
        if number < 1000:
            return f"{number:.0f} {unit}"
        number /= 1000
    return f"{number:.1f} GB"


class Bar:
    """The progress of one file. `total` may be unknown."""

    def __init__(self, name: str, total: int | None, *, stream: TextIO | None = None) -> None:
        self._name = name
        self._total = total
        self._stream = stream or sys.stdout
        self._terminal = self._stream.isatty()
        self._began_at = self._told_at = time.monotonic()
        self._first: int | None = None  # bytes that were there already

    def update(self, done: int) -> None:
        """`done` bytes of the file are there."""
        if self._first is None:
            self._first = done
        now = time.monotonic()
        pause = _SECONDS_ON_A_TERMINAL if self._terminal else _SECONDS_ELSEWHERE
        if now - self._told_at >= pause:
            self._told_at = now
            self._tell(self._text(done, now - self._began_at))

    def clear(self) -> None:
        """Take the changing line away."""
        if self._terminal:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def _text(self, done: int, seconds: float) -> str:
        rate = (done - (self._first or 0)) / seconds if seconds else 0.0
        text = f"{self._name}: {size(done)}"
        if self._total:
            filled = round(_WIDTH * min(1.0, done / self._total))
            bar = "#" * filled + "." * (_WIDTH - filled)
            text = f"{self._name} [{bar}] {100 * done / self._total:.0f}% of {size(self._total)}"
        return f"{text}, {size(rate)}/s{self._left(done, rate)}"

    def _left(self, done: int, rate: float) -> str:
        if not self._total or rate <= 0:
            return ""
        seconds = (self._total - done) / rate
        return f", {seconds:.0f} s left" if seconds < 120 else f", {seconds / 60:.0f} min left"

    def _tell(self, text: str) -> None:
        self._stream.write(f"\r{text}\x1b[K" if self._terminal else f"  {text}\n")
        self._stream.flush()
