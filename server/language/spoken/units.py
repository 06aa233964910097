"""Measures and percentages."""

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any

from babel.units import format_unit

from server.language.resources import spoken_rules
from server.language.spoken.aligned import AlignedText
from server.language.spoken.numbers import Amount, numbers
from server.language.spoken.patterns import NUMBER_START

# Signs that are the same everywhere, and Unicode's names of the units.
_SIGNS = {
    "km/h": "speed-kilometer-per-hour",
    "m/s": "speed-meter-per-second",
    "mph": "speed-mile-per-hour",
    "km": "length-kilometer",
    "m": "length-meter",
    "cm": "length-centimeter",
    "mm": "length-millimeter",
    "mi": "length-mile",
    "ft": "length-foot",
    "kg": "mass-kilogram",
    "g": "mass-gram",
    "mg": "mass-milligram",
    "lb": "mass-pound",
    "lbs": "mass-pound",
    "oz": "mass-ounce",
    "l": "volume-liter",
    "L": "volume-liter",
    "ml": "volume-milliliter",
    "mL": "volume-milliliter",
    "°C": "temperature-celsius",
    "ºC": "temperature-celsius",
    "°F": "temperature-fahrenheit",
    "°": "angle-degree",
    "m²": "area-square-meter",
    "m2": "area-square-meter",
    "km²": "area-square-kilometer",
    "ha": "area-hectare",
    "kWh": "energy-kilowatt-hour",
    "kW": "power-kilowatt",
    "W": "power-watt",
    "V": "electric-volt",
    "Hz": "frequency-hertz",
    "GHz": "frequency-gigahertz",
    "KB": "digital-kilobyte",
    "MB": "digital-megabyte",
    "GB": "digital-gigabyte",
    "TB": "digital-terabyte",
    "min": "duration-minute",
    "h": "duration-hour",
}
_NUMBER = re.compile(r"[\d.,\u00a0\u202f ]+")


class Measures:
    """How one locale writes and says measures."""

    def __init__(self, locale: str) -> None:
        rules = spoken_rules(locale)
        self._locale: str = rules["locale"]
        self._numbers = numbers(locale)
        self._percent: str = rules["words"]["percent"]
        self._names: Mapping[str, Any] = rules.get("units", {})
        self._signs = _SIGNS | rules.get("unit_signs", {})
        sign = "|".join(sorted(map(re.escape, self._signs), key=len, reverse=True))
        number = rf"{NUMBER_START}(?P<number>{self._numbers.written})[ \u00a0\u202f]?"
        self._written = re.compile(rf"{number}(?P<sign>{sign})(?![\w/²³])")
        self._percentage = re.compile(rf"{number}%")

    def say(self, text: AlignedText) -> AlignedText:
        """The measures of a text in words."""
        text = text.sub(self._percentage, lambda match: self._count(match["number"], self._percent))
        return text.sub(self._written, self._measure)

    def _measure(self, match: re.Match[str]) -> str | None:
        amount = self._numbers.amount(match["number"])
        if amount is None:
            return None
        return self._count(match["number"], self._name(self._signs[match["sign"]], amount))

    def _count(self, written: str, name: str) -> str:
        return f"{self._numbers.say(written, name.partition(' ')[0])} {name}"

    def _name(self, unit: str, amount: Amount) -> str:
        if unit in self._names:
            one, many = self._names[unit]
            return str(one if amount.is_one else many)
        value = Decimal(f"{amount.whole}.{amount.fraction or 0}").normalize()
        return _NUMBER.sub("", format_unit(value, unit, "long", locale=self._locale), count=1)


@cache
def measures(locale: str) -> Measures:
    """Of a locale that has rules for speech."""
    return Measures(locale)


def say_measures(text: AlignedText, locale: str) -> AlignedText:
    """Measures and percentages in words."""
    return measures(locale).say(text)
