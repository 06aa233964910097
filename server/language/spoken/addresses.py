"""Web and e-mail addresses sign by sign, telephone numbers digit by digit."""

import re

from server.language.resources import spoken_rules
from server.language.spoken.aligned import AlignedText
from server.language.spoken.numbers import numbers

_TOP_DOMAINS = "com|org|net|gov|gob|edu|info|io|ai|dev|app|mx|ph|fr"
_ADDRESS = re.compile(
    r"(?<![\w.+-])(?:mailto:)?[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
    r"|(?:https?://|\bwww\.)[^\s<>\"'«»“”]*[\w/]"
    rf"|(?<![\w.@-])(?:[a-z0-9-]+\.)+(?:{_TOP_DOMAINS})(?:\.[a-z]{{2}})?\b(?:/[^\s<>\"'«»“”]*[\w/])?",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"^(?:https?://|mailto:)?(?:www\.)?", re.IGNORECASE)
_QUERY = re.compile(r"/?(?:[?#].*)?$")
_PHONE = re.compile(
    r"(?<![\w.,/$€£¥₱₹-])(?:"
    r"\+\d(?:[ .()-]{0,2}\d){6,14}"
    r"|\(\d{2,4}\)[ -]?\d(?:[ .-]?\d){5,9}"
    r"|0\d(?:[ .-]?\d\d){4}"
    r"|\d{2,4}(?:[ .-]\d{2,4}){2,4}"
    r"|\d{3}-\d{4}"
    r"|1-\d{3}-\d{3}-\d{4}"
    r"|[6-9]\d{4} \d{5}"  # a mobile number of India
    r")(?![\w/-]|[.,]\d)"
)


def say_addresses(text: AlignedText, locale: str) -> AlignedText:
    """Web and e-mail addresses in words."""
    words = spoken_rules(locale)["addresses"]

    def address(match: re.Match[str]) -> str:
        bare = _QUERY.sub("", _SCHEME.sub("", match[0]))
        parts = (f" {words[sign]} " if sign in words else sign for sign in bare)
        return " ".join("".join(parts).split())

    return text.sub(_ADDRESS, address)


def say_phones(text: AlignedText, locale: str) -> AlignedText:
    """Telephone numbers digit by digit, with a pause between their groups."""
    plus = spoken_rules(locale)["addresses"]["+"]

    def phone(match: re.Match[str]) -> str | None:
        if _is_quantity(match[0], locale) or _is_range(match[0]):
            return None
        groups = re.findall(r"\+|\d+", match[0])
        said = [plus if group == "+" else numbers(locale).digits(group) for group in groups]
        return ", ".join(said).replace(f"{plus}, ", f"{plus} ")

    return text.sub(_PHONE, phone)


def _is_quantity(written: str, locale: str) -> bool:
    """Whether it is a number with its groups of three digits, where blanks divide them."""
    is_number = re.fullmatch(numbers(locale).written, written) is not None
    return is_number and written[0] != "0" and numbers(locale).amount(written) is not None


def _is_range(written: str) -> bool:
    """Whether it is from one round number to another, which is larger: 500-1000."""
    ends = re.fullmatch(r"(\d{3})-(\d{4})", written)
    return ends is not None and all(end.endswith("0") for end in ends.groups())
