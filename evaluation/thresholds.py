"""Limits on figures, for machines that have to say yes or no."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from evaluation.report.model import Figure


@dataclass(frozen=True, slots=True)
class Threshold:
    """A figure's limit: "wer.hi=0.12"."""

    name: str
    limit: float
    is_upper: bool  # else lower

    @classmethod
    def parse(cls, text: str, *, is_upper: bool) -> "Threshold":
        """From NAME=NUMBER. Raises `ValueError` that says what is expected."""
        name, _, number = text.partition("=")
        try:
            return cls(name.strip(), float(number), is_upper)
        except ValueError as error:
            raise ValueError(f"{text!r} is not NAME=NUMBER, such as wer.hi=0.12") from error

    def failure(self, figures: Mapping[str, Figure]) -> str:
        """Why it is not met; empty when it is. A figure that was not measured is not met."""
        figure = figures.get(self.name)
        if figure is None:
            close = get_close_matches(self.name, figures, n=3)
            hint = f" Like it: {', '.join(close)}." if close else ""
            return f"{self.name} was not measured.{hint}"
        is_met = figure.value <= self.limit if self.is_upper else figure.value >= self.limit
        sign = "above" if self.is_upper else "below"
        return "" if is_met else f"{self.name} is {figure.value:.4g}, {sign} {self.limit:g}"


def failures(thresholds: Sequence[Threshold], figures: Mapping[str, Figure]) -> list[str]:
    """Of all that are not met."""
    return [failure for each in thresholds if (failure := each.failure(figures))]
