"""Amounts of money."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from server.language.resources import spoken_rules
from server.language.spoken.aligned import AlignedText
from server.language.spoken.numbers import Amount, Numbers, numbers
from server.language.spoken.patterns import NUMBER_START, one_of

_MILLION = 1_000_000


class Money:
    """How one locale writes and says prices."""

    def __init__(self, locale: str) -> None:
        self._rules: Mapping[str, Any] = spoken_rules(locale)["money"]
        self._numbers: Numbers = numbers(locale)
        currencies = [
            rules for rules in self._rules.values() if isinstance(rules, dict) and "signs" in rules
        ]
        self._currencies = {sign: rules for rules in currencies for sign in rules["signs"]}
        sign = one_of(self._currencies)
        self._named = {name: rules for rules in currencies for name in rules["unit"]}
        number, scale = self._numbers.written, one_of(self._rules["scales"])
        letters = "|".join(sorted(self._rules["letters"], key=len, reverse=True))
        scaled = rf"[ \u00a0](?P<scale>{scale})|[ \u00a0\u202f]?(?P<letter>{letters})(?!\w)"
        amount = rf"(?P<amount>{number})(?:{scaled})?"
        named = rf"(?:[ \u00a0](?:(?:de |d[’'])?(?P<named>{one_of(self._named)})))?"
        self._range = re.compile(rf"(?P<sign>{sign}) ?(?P<low>{number}) ?[-–] ?(?P<high>{number})")
        self._written = [
            re.compile(
                rf"(?P<sign>{sign})[ \u00a0]?{amount}(?:[ \u00a0]?(?P<code>{sign}))?{named}"
            ),
            re.compile(
                rf"{NUMBER_START}{amount}[ \u00a0\u202f]?(?P<sign>{sign})(?P<code>)(?P<named>)"
            ),
        ]

    def share_signs(self, text: AlignedText) -> AlignedText:
        """The currency of a range at its end, as it is said: 10 to 20 dollars."""
        return text.sub(self._range, r"\g<low>–\g<sign>\g<high>")

    def say(self, text: AlignedText) -> AlignedText:
        """The amounts of a text in words."""
        for written in self._written:
            text = text.sub(written, self._say)
        return text

    def _say(self, match: re.Match[str]) -> str | None:
        currency = self._named.get(match["named"] or "")  # "$5 dollars" says it twice
        currency = currency or self._currencies[match["code"] or match["sign"]]
        amount = self._numbers.amount(match["amount"])
        if amount is None:
            return None
        if scale := self._scale(match, amount):
            said = f"{self._numbers.say_amount(amount, scale.split()[0])} {scale}"
            return self._of(f"{said} {currency['unit'][1]}", currency)
        if len(amount.fraction) > 2:
            said = self._numbers.say_amount(amount, rules=self._rules.get("numbers"))
            return f"{said} {currency['unit'][1]}"
        return self._whole_and_cents(amount, currency)

    def _scale(self, match: re.Match[str], amount: Amount) -> str:
        """Thousands or millions, in a word or by a letter: 5 million, 5M."""
        if match["scale"]:
            return str(self._rules["scales"][match["scale"]])
        one, many = self._rules["letters"].get(match["letter"], ("", ""))
        return str(one if amount.is_one else many)

    def _whole_and_cents(self, amount: Amount, currency: Mapping[str, Any]) -> str:
        whole, cents = int(amount.whole), int(amount.fraction.ljust(2, "0"))
        if not cents:
            return self._whole(whole, currency)
        if not whole:
            return self._count(cents, currency["cent"])
        if self._rules.get("cents_alone"):
            said = self._numbers.spell(cents)
        else:
            said = self._count(cents, currency["cent"])
        template = str(self._rules["with_cents"])
        return template.format(whole=self._whole(whole, currency), cents=said)

    def _whole(self, whole: int, currency: Mapping[str, Any]) -> str:
        if "with_unit" in currency:
            return self._numbers.spell(whole, currency["with_unit"])
        said = self._count(whole, currency["unit"])
        if whole and whole % _MILLION == 0 and "of" in self._rules:
            number, _, unit = said.partition(f" {currency['unit'][1]}")
            return self._of(f"{number} de {currency['unit'][1]}{unit}", currency)
        return said

    def _of(self, said: str, currency: Mapping[str, Any]) -> str:
        """Millions *of* euros, in the form that the currency's name wants."""
        usual = self._rules.get("of", "")
        unit = currency["unit"][1]
        return said.replace(f" {usual}{unit}", f" {currency.get('of', usual)}{unit}")

    def _count(self, number: int, names: list[str]) -> str:
        one, many = names
        name = one if number == 1 else many
        amount = Amount(str(number))
        said = self._numbers.say_amount(amount, name.split()[0], self._rules.get("numbers"))
        return f"{said} {name}"


@cache
def money(locale: str) -> Money:
    """Of a locale that has rules for speech."""
    return Money(locale)


def share_currency(text: AlignedText, locale: str) -> AlignedText:
    """The currency of a range of prices behind it: before the range is said."""
    return money(locale).share_signs(text)


def say_money(text: AlignedText, locale: str) -> AlignedText:
    """Amounts of money in words."""
    return money(locale).say(text)
