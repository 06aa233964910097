"""Dates and years."""

import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any

from babel import Locale

from server.language.resources import spoken_rules
from server.language.spoken.aligned import AlignedText
from server.language.spoken.numbers import numbers
from server.language.spoken.patterns import NUMBER_START, WORD_END, WORD_START, full_stop

_ISO = re.compile(NUMBER_START + r"(?<!-)(?P<y>\d{4})-(?P<m>\d{2})-(?P<d>\d{2})(?![\d-])")
_NUMERIC = re.compile(
    NUMBER_START + r"(?<!-)(?P<first>\d{1,2})(?:/(?P<second>\d{1,2})/(?P<y>\d{4}|\d{2})"
    r"|-(?P<second2>\d{1,2})-(?P<y2>\d{4})|\.(?P<second3>\d{1,2})\.(?P<y3>\d{4}))(?![\d/-]|[.,]\d)"
)
_SHORT = r"(?P<first>\d{1,2})/(?P<second>\d{1,2})(?![\d/]|[.,]\d)"
_SHORT_RANGE = re.compile(
    rf"{NUMBER_START}{_SHORT} ?[-–] ?{_SHORT.replace('first', 'third').replace('second', 'fourth')}"
)
_YEAR = r"(?:1[1-9]|20)\d\d"
_FIRST_YEAR, _LAST_YEAR = 1100, 2099  # of four digits that may be a year


class Calendar:
    """How one locale writes and says dates."""

    def __init__(self, locale: str) -> None:
        rules = spoken_rules(locale)
        self._rules: Mapping[str, Any] = rules["dates"]
        self._years: Mapping[str, Any] = rules.get("years", {})
        self._range: str = rules["words"]["range"]
        self._numbers = numbers(locale)
        months = Locale.parse(rules["locale"]).months["format"]
        self._names: Mapping[int, str] = months["wide"]
        self._by_name = {
            name.casefold().rstrip(".॰"): number
            for width in ("abbreviated", "wide")
            for number, name in months[width].items()
            if name not in self._rules.get("other_words", ())
        }
        self._small_words = frozenset(self._rules.get("words", ()))
        self._fractions = frozenset(rules["fractions"])
        self._fraction = re.compile(self._rules["fraction"])
        before, after = self._rules["short_after"], self._rules.get("short_before", "")
        self._short = re.compile(rf"(?P<before>{before}){NUMBER_START}{_SHORT}(?={after})")
        days = Locale.parse(rules["locale"]).days["format"]
        self._days = {
            days["abbreviated"][day].casefold().rstrip("."): str(days["wide"][day])
            for day in range(7)
        }
        day_name = rf"{WORD_START}({'|'.join(map(re.escape, self._days))}){WORD_END}\.?"
        self._day_range = re.compile(rf"{day_name} ?[-–] ?{day_name}", re.IGNORECASE)
        between = self._years.get("range", "(?!)")
        self._year_range = re.compile(
            rf"{NUMBER_START}(?P<first>{_YEAR})(?: ?[-–] ?|(?P<word>{between}))(?P<last>{_YEAR})"
            r"(?![\d-]|[.,:/%]\d)"
        )
        names = "|".join(sorted(map(re.escape, self._by_name), key=len, reverse=True))
        month = rf"{WORD_START}(?P<month>{names})(?:{WORD_END}[.॰]?)"
        of = self._rules.get("of", "")
        year = rf"(?:(?P<comma>,? (?:{of} )?)(?P<y>\d{{4}})\b(?![.,]?\d))?"
        day = r"(?P<day>\d{1,2})(?:st|nd|rd|th|er|[ºo°])?"
        self._month_first = re.compile(rf"{month} {day}(?![\d:/])\b{year}", re.IGNORECASE)
        self._day_first = re.compile(
            rf"{NUMBER_START}(?<!-)(?P<the>\bthe )?{day} (?P<of>{of} )?{month}{year}", re.IGNORECASE
        )

    def say(self, text: AlignedText) -> AlignedText:
        """The dates of a text in words, and the years from one to another."""
        text = text.sub(_ISO, lambda match: self._date(match["y"], match["m"], match["d"]))
        text = text.sub(_NUMERIC, self._numeric)
        text = text.sub(_SHORT_RANGE, self._short_range)
        text = text.sub(self._short, self._say_short)
        text = text.sub(self._month_first, self._with_month_first)
        text = text.sub(self._day_first, self._with_day_first)
        if decade := self._years.get("decade"):
            text = text.sub(re.compile(NUMBER_START + decade), self._decade)
        return text.sub(self._year_range, self._years_from_to)

    def say_days(self, text: AlignedText) -> AlignedText:
        """Mon–Fri as Monday to Friday."""
        return text.sub(self._day_range, self._say_day_range)

    def _numeric(self, match: re.Match[str]) -> str | None:
        first = match["first"]
        second = match["second"] or match["second2"] or match["second3"]
        year = match["y"] or match["y2"] or match["y3"]
        if len(year) == 2:
            year = f"20{year}"
        in_order = (first, second) if self._rules["order"] == "mdy" else (second, first)
        return self._date(year, *in_order) or self._date(year, *reversed(in_order))

    def _say_short(self, match: re.Match[str]) -> str | None:
        written = match[0].removeprefix(match["before"])
        if written in self._fractions and self._fraction.match(match.string, match.start()):
            return None
        said = self._day_and_month(match["first"], match["second"])
        return said and match["before"] + said

    def _short_range(self, match: re.Match[str]) -> str | None:
        if self._fractions.issuperset(re.findall(r"\d+/\d+", match[0])):
            return None
        first = self._day_and_month(match["first"], match["second"])
        last = self._day_and_month(match["third"], match["fourth"])
        return f"{first} {self._range} {last}" if first and last else None

    def _say_day_range(self, match: re.Match[str]) -> str:
        first, last = (self._days[match[group].casefold()] for group in (1, 2))
        return f"{first} {self._range} {last}"

    def _day_and_month(self, first: str, second: str) -> str | None:
        """21/11 or, where the month comes first, 11/21; None when it is no day of a year."""
        month, day = (first, second) if self._rules["order"] == "mdy" else (second, first)
        try:
            day_of = date(2000, int(month), int(day))
        except ValueError:
            return None
        return str(self._rules["short"]).format(
            day=self._day(day_of.day), month=self._names[day_of.month]
        )

    def _date(self, year: str, month: str, day: str) -> str | None:
        try:
            day_of = date(int(year), int(month), int(day))
        except ValueError:
            return None
        return str(self._rules["text"]).format(
            day=self._day(day_of.day), month=self._names[day_of.month], year=self._year(year)
        )

    def _with_month_first(self, match: re.Match[str]) -> str | None:
        if not 1 <= int(match["day"]) <= 31:
            return None
        return f"{self._month(match)} {self._day(int(match['day']))}{self._and_year(match)}"

    def _with_day_first(self, match: re.Match[str]) -> str | None:
        if not 1 <= int(match["day"]) <= 31 or match["month"] in self._small_words:
            return None
        day, month = self._day(int(match["day"])), self._month(match)
        if template := self._rules.get("day_before_month"):
            said = str(template).format(day=day, month=month)
        else:
            said = f"{day} {match['of'] or ''}{month}"
        return said + self._and_year(match) + full_stop(match)

    def _month(self, match: re.Match[str]) -> str:
        """Its name in full; as it is written when it is that already."""
        written = match["month"]
        name = self._names[self._by_name[written.casefold()]]
        return written if written.casefold() == name.casefold() else name

    def _day(self, day: int) -> str:
        if day == 1 and "first" in self._rules:
            return str(self._rules["first"])
        return self._numbers.spell(day, self._rules["day"])

    def _and_year(self, match: re.Match[str]) -> str:
        return f"{match['comma']}{self._year(match['y'])}" if match["y"] else ""

    def _year(self, year: str) -> str:
        return self._numbers.spell(int(year), "year")

    def say_years(self, text: AlignedText) -> AlignedText:
        """Years that stand alone, where they are said otherwise than other numbers."""
        for pattern in (
            rf"(?P<before>{self._years.get('after', '(?!)')})(?P<y>\d{{4}})(?![\d-]|[.,:/%]\d)",
            rf"(?P<before>){NUMBER_START}(?P<y>\d{{4}})(?={self._years.get('before', '(?!)')})",
        ):
            text = text.sub(re.compile(pattern, re.IGNORECASE), self._lone_year)
        return text

    def _years_from_to(self, match: re.Match[str]) -> str:
        between = match["word"] or f" {self._range} "
        return f"{self._year(match['first'])}{between}{self._year(match['last'])}"

    def _decade(self, match: re.Match[str]) -> str:
        ending, plural = self._years["decade_ending"]
        said = self._year(match["number"])
        return f"{said.removesuffix(ending)}{plural}s" if said.endswith(ending) else f"{said}s"

    def _lone_year(self, match: re.Match[str]) -> str | None:
        is_year = _FIRST_YEAR <= int(match["y"]) <= _LAST_YEAR
        return f"{match['before']}{self._year(match['y'])}" if is_year else None


@cache
def calendar(locale: str) -> Calendar:
    """Of a locale that has rules for speech."""
    return Calendar(locale)


def say_dates(text: AlignedText, locale: str) -> AlignedText:
    """Dates, and years from one to another, in words."""
    return calendar(locale).say(text)


def say_years(text: AlignedText, locale: str) -> AlignedText:
    """Years that stand alone: when no number is left that counts money or is measured."""
    return calendar(locale).say_years(text)


def say_days(text: AlignedText, locale: str) -> AlignedText:
    """Days from one to another in words: before a dash between them is read as any dash."""
    return calendar(locale).say_days(text)
