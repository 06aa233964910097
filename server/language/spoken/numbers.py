"""Numbers as words: spelled by the rules of CLDR, or by those of a language's own numbers.xml."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from babel.numbers import get_decimal_symbol, get_group_symbol
from unicode_rbnf import RbnfEngine

from server.language.resources import read, spoken_rules

_BLANKS = "\u00a0\u202f"  # between groups of digits in any language; a space only where it is usual
_MAXIMUM_DIGITS = 15  # of a number that is said as one
_MAXIMUM_UNGROUPED_DIGITS = 6  # more, without separators, are a code, unless it is a round number


@dataclass(frozen=True, slots=True)
class Amount:
    """A number as it is written, without its separators."""

    whole: str
    fraction: str = ""

    @property
    def is_one(self) -> bool:
        return self.whole == "1" and not self.fraction


class Numbers:
    """How one locale writes numbers, and how they are said."""

    def __init__(self, locale: str, rules: Mapping[str, Any]) -> None:
        self._decimal = get_decimal_symbol(rules["locale"])
        group = get_group_symbol(rules["locale"])
        blanks = _BLANKS + (" " if group.isspace() else "")
        self.written = rf"(?:\d{{1,3}}(?:[{blanks}]\d{{3}})+(?:[.,]\d+)?(?!\d)|\d+(?:[.,]\d+)*)"
        self._rules: Mapping[str, Any] = rules["numbers"]
        self._engine = RbnfEngine.for_language(self._rules["cldr"])
        language = locale.partition("_")[0]
        if own := read(language, "numbers.xml"):
            self._engine.load_xml(ET.fromstring(own))
        self._feminine = re.compile(self._rules.get("feminine_nouns", "(?!)"), re.IGNORECASE)
        self._no_noun = frozenset(self._rules.get("no_nouns", ()))

    def spell(self, number: int, rules: str = "cardinal") -> str:
        """A whole number by one of the rule sets that the language names."""
        name = str(self._rules.get(rules, rules))
        return str(self._engine.format_number(number, ruleset_names=[name]).text)

    def digits(self, text: str) -> str:
        """The digits in a text, one by one."""
        return " ".join(self.spell(int(digit)) for digit in text if digit.isdecimal())

    def amount(self, written: str) -> Amount | None:
        """What is written, in this locale's way or in another's; None when it is no one number."""
        text = re.sub(r"\s", "", written)
        signs = [character for character in text if not character.isdecimal()]
        if not signs:
            return Amount(text)
        decimal = self._decimal_sign(text, signs)
        whole, _, fraction = text.rpartition(decimal) if decimal else (text, "", "")
        groups = re.split("[.,]", whole)
        if (fraction and len(groups) == 1) or _is_grouped(groups):
            return Amount("".join(groups), fraction)
        return None

    def say(self, written: str, noun: str = "") -> str:
        """A written number, in agreement with the noun that it counts, if there is one."""
        if written in self._rules.get("digit_by_digit", ()):
            return self.digits(written)
        amount = self.amount(written)
        if amount is None:
            parts = re.split(r"[.,]", written)
            return f" {self._rules['point']} ".join(self.say(part) for part in parts)
        is_grouped = amount.whole != written.partition(self._decimal)[0]
        if self._is_code(amount.whole, is_grouped):
            return self.digits(amount.whole)
        return self.say_amount(amount, noun)

    def say_amount(self, amount: Amount, noun: str = "", rules: str | None = None) -> str:
        """A number, in agreement with the noun that it counts, or by the rule set that is named."""
        rules = rules or self._rules_before(noun)
        if not amount.fraction:
            return self.spell(int(amount.whole), rules)
        if noun and (special := self._special_fraction(amount)):
            return special
        return f"{self.spell(int(amount.whole))} {self._rules['point']} " + self._fraction(
            amount.fraction, rules
        )

    def _decimal_sign(self, text: str, signs: list[str]) -> str:
        """The character that begins the fraction; "" when all of them divide groups."""
        if len(set(signs)) > 1 or (len(signs) == 1 and signs[0] == self._decimal):
            return signs[-1]
        return "" if _is_grouped(text.split(signs[0])) else signs[-1]

    def _is_code(self, whole: str, is_grouped: bool) -> bool:
        if (len(whole) > 1 and whole[0] == "0") or len(whole) > _MAXIMUM_DIGITS:
            return True
        is_round = whole.endswith("000")
        return len(whole) > _MAXIMUM_UNGROUPED_DIGITS and not is_grouped and not is_round

    def _rules_before(self, noun: str) -> str:
        if not noun or noun in self._no_noun:
            return "cardinal"
        if "feminine" in self._rules and self._feminine.search(noun):
            return "feminine"
        return "counting" if "counting" in self._rules else "cardinal"

    def _special_fraction(self, amount: Amount) -> str:
        """Such as one and a half, where a language has words of its own for it."""
        specials: Mapping[str, str] = self._rules.get("fractions", {})
        fraction = amount.fraction.rstrip("0")
        whole = int(amount.whole)
        usual = specials.get(f".{fraction}", "") if 1 <= whole < 100 else ""
        template = specials.get(f"{whole}.{fraction}", usual)
        return template.format(whole=self.spell(whole), next=self.spell(whole + 1))

    def _fraction(self, fraction: str, rules: str) -> str:
        zeros = len(fraction) - len(fraction.lstrip("0"))
        if self._rules["decimals"] == "digits" or len(fraction) > 2 or zeros == len(fraction):
            said = [self.spell(int(digit)) for digit in fraction[:-1]]
            return " ".join([*said, self.spell(int(fraction[-1]), rules)])
        return " ".join([self.spell(0)] * zeros + [self.spell(int(fraction))])


@cache
def numbers(locale: str) -> Numbers:
    """Of a locale that has rules for speech."""
    return Numbers(locale, spoken_rules(locale))


def _is_grouped(groups: list[str]) -> bool:
    """1,250,000 or, as in India, 12,50,000."""
    first, others = groups[0], groups[1:]
    if not others or len(others[-1]) != 3 or not 1 <= len(first) <= 3:
        return False
    inner = {len(group) for group in others[:-1]}
    return inner <= {3} or (inner <= {2} and len(first) <= 2)
