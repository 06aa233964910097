"""Twilio's webhooks: whether a request is Twilio's, what it is answered, and who may then stream.

Twilio signs what it requests with the account's token. A stream it opens cannot carry anything of
the account's; so the signed request is given a token that opens `/twilio/media` once, and soon.
"""

import base64
import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, tostring

TOKEN_SECONDS = 60.0  # in which Twilio opens the stream: it does so at once
_MAXIMUM_GRANTS = 1000


def signature(auth_token: str, url: str, form: Iterable[tuple[str, str]]) -> str:
    """What Twilio puts into `X-Twilio-Signature` when it posts this form to `url`.

    Base64 of the HMAC-SHA1 of the URL and of every field's name and value, in the order of names
    (https://www.twilio.com/docs/usage/security).
    """
    text = url + "".join(name + value for name, value in sorted(set(form)))
    digest = hmac.new(auth_token.encode(), text.encode(errors="surrogatepass"), hashlib.sha1)
    return base64.b64encode(digest.digest()).decode()


def is_signed(auth_token: str, url: str, form: Iterable[tuple[str, str]], sent: str) -> bool:
    """Whether `sent` is the signature; compared in constant time."""
    expected = signature(auth_token, url, form).encode()
    return hmac.compare_digest(expected, sent.encode(errors="surrogateescape"))


@dataclass(frozen=True, slots=True)
class Grant:
    """The call that may open a stream."""

    call_sid: str
    language: str  # that its caller probably speaks
    number: str = ""  # that they call from, as "+639171234567", where that may tell it


class Grants:
    """Tokens for streams: each is good once, and for a short while. Times are of any clock."""

    def __init__(self) -> None:
        self._grants: OrderedDict[str, tuple[Grant, float]] = OrderedDict()

    def issue(self, grant: Grant, now_seconds: float) -> str:
        """A token that nobody can guess."""
        token = secrets.token_urlsafe(32)
        self._grants[token] = (grant, now_seconds + TOKEN_SECONDS)
        if len(self._grants) > _MAXIMUM_GRANTS:
            self._grants.popitem(last=False)
        return token

    def redeem(self, token: str, now_seconds: float) -> Grant | None:
        """What it was issued for; None when it was not, was used before, or is too old."""
        grant, until_seconds = self._grants.pop(token, (None, 0.0))
        return grant if now_seconds <= until_seconds else None


def connect(stream_url: str, after_url: str) -> str:
    """TwiML: the call's audio goes to us, and we are asked what to do when that has ended."""
    response = Element("Response")
    SubElement(SubElement(response, "Connect", action=after_url), "Stream", url=stream_url)
    return _text(response)


def reject() -> str:
    """TwiML: the caller hears that the line is busy."""
    response = Element("Response")
    SubElement(response, "Reject", reason="busy")
    return _text(response)


def dial(number: str) -> str:
    """TwiML: the caller is put through."""
    response = Element("Response")
    SubElement(response, "Dial").text = number
    return _text(response)


def hang_up() -> str:
    """TwiML: the call is over."""
    response = Element("Response")
    SubElement(response, "Hangup")
    return _text(response)


def _text(response: Element) -> str:
    return tostring(response, encoding="unicode")
