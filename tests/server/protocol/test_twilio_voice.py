"""Whether a request is Twilio's, what it is answered, and whom that lets in."""

from xml.etree.ElementTree import fromstring

import pytest

from server.protocol.twilio_voice import (
    TOKEN_SECONDS,
    Grant,
    Grants,
    connect,
    dial,
    hang_up,
    is_signed,
    reject,
    signature,
)

# The example of https://www.twilio.com/docs/usage/security.
URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
FORM = [
    ("CallSid", "CA1234567890ABCDE"),
    ("Caller", "+14158675309"),
    ("Digits", "1234"),
    ("From", "+14158675309"),
    ("To", "+18005551212"),
]
SIGNATURE = "RSOYDt4T1cUTdK1PDd93/VVr8B8="
GRANT = Grant("CA1", "es")


def test_the_published_example() -> None:
    published = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert signature("12345", published, FORM) == SIGNATURE
    assert signature("12345", published, reversed(FORM)) == SIGNATURE


@pytest.mark.parametrize(
    ("token", "url", "form", "sent"),
    [
        ("12346", URL, FORM, SIGNATURE),
        ("12345", URL + "&x", FORM, SIGNATURE),
        ("12345", URL, FORM[1:], SIGNATURE),
        ("12345", URL, [*FORM, ("Extra", "1")], SIGNATURE),
        ("12345", URL, FORM, ""),
        ("12345", URL, FORM, "é\udcff"),
    ],
)
def test_anything_else_is_not_signed(
    token: str, url: str, form: list[tuple[str, str]], sent: str
) -> None:
    assert is_signed("12345", URL, FORM, SIGNATURE)
    assert not is_signed(token, url, form, sent)


def test_a_token_is_good_once_and_soon() -> None:
    grants = Grants()
    token = grants.issue(GRANT, now_seconds=0.0)
    assert grants.redeem("another", 1.0) is None
    assert grants.redeem(token, 1.0) == GRANT
    assert grants.redeem(token, 1.0) is None
    late = grants.issue(GRANT, now_seconds=0.0)
    assert grants.redeem(late, TOKEN_SECONDS + 1) is None


def test_tokens_that_nobody_redeems_do_not_pile_up() -> None:
    grants = Grants()
    first = grants.issue(GRANT, 0.0)
    rest = [grants.issue(GRANT, 0.0) for _ in range(1000)]
    assert grants.redeem(first, 0.0) is None
    assert grants.redeem(rest[0], 0.0) == GRANT
    assert len(set(rest)) == 1000


def test_the_answers_are_twiml() -> None:
    answer = fromstring(connect("wss://h/twilio/media/a&b", "https://h/twilio/after"))
    assert answer[0].attrib == {"action": "https://h/twilio/after"}
    assert answer[0][0].attrib == {"url": "wss://h/twilio/media/a&b"}
    assert reject() == '<Response><Reject reason="busy" /></Response>'
    assert dial("+34911234567") == "<Response><Dial>+34911234567</Dial></Response>"
    assert hang_up() == "<Response><Hangup /></Response>"
