"""Times of day."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from server.language.resources import spoken_rules
from server.language.spoken.aligned import AlignedText
from server.language.spoken.numbers import numbers
from server.language.spoken.patterns import NUMBER_START, full_stop

_QUARTERS = {15: "quarter", 30: "half", 45: "quarter_to"}


class Clock:
    """How one locale writes and says the time."""

    def __init__(self, locale: str) -> None:
        self._rules: Mapping[str, Any] = spoken_rules(locale)["times"]
        self._numbers = numbers(locale)
        prefix, suffix = self._rules.get("prefix", ""), self._rules.get("suffix", "")
        self.written = [
            re.compile(f"{prefix}{NUMBER_START}{written}{suffix}", re.IGNORECASE)
            for written in self._rules["written"]
        ]

    def say(self, match: re.Match[str]) -> str | None:
        """A time that is written in one of these ways; None when it is no time."""
        found = match.groupdict()
        hour, minute, half = int(found["hour"]), int(found.get("minute") or 0), found.get("half")
        if hour > (12 if half else 24):
            return None
        if half:
            hour = hour % 12 + (12 if half.casefold() == "p" else 0)
        hour %= 24
        part = self._part(match, hour) if half or not 1 <= hour <= 12 else ""
        said = self._clock_time(hour, minute, with_part=bool(part))
        words = [part, said] if self._rules.get("part_first") else [said, part]
        return " ".join(word for word in words if word) + full_stop(match)

    def _part(self, match: re.Match[str], hour: int) -> str:
        """The part of the day, unless the text says it."""
        parts = [part for start, part in self._rules.get("parts", ()) if start <= hour]
        if not parts:
            return ""
        before, after = match.string[: match.start()], match.string[match.end() :]
        is_said = after.lstrip().startswith(parts[-1]) or before.rstrip().endswith(parts[-1])
        return "" if is_said else str(parts[-1])

    def _clock_time(self, hour: int, minute: int, with_part: bool) -> str:
        if self._rules["clock"] == 12:
            hour = (hour - 1) % 12 + 1
        template = self._template(hour, minute, with_part)
        hours = self._rules.get("hours", "cardinal")
        return template.format(
            hour=self._numbers.spell(hour, hours),
            next=self._numbers.spell(hour % 12 + 1, hours),
            minute=self._numbers.spell(minute, self._rules.get("minute_rules", "cardinal")),
        )

    def _template(self, hour: int, minute: int, with_part: bool) -> str:
        special: Mapping[str, str] = self._rules.get("special", {})
        exact = "exact_with_part" if with_part and "exact_with_part" in self._rules else "exact"
        usual = exact if minute == 0 else "under_ten" if minute < 10 else "minutes"
        by_name = self._rules.get(_QUARTERS.get(minute, usual), self._rules[usual])
        either = special.get(f"{hour}:", by_name) if minute else by_name
        return str(special.get(f"{hour}:{minute:02}", either))


@cache
def clock(locale: str) -> Clock:
    """Of a locale that has rules for speech."""
    return Clock(locale)


def say_times(text: AlignedText, locale: str) -> AlignedText:
    """Times of day in words."""
    for written in clock(locale).written:
        text = text.sub(written, clock(locale).say)
    return text
