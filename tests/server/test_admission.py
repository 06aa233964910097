"""Keys in every form in which a client may send them."""

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from server.admission import require_key

KEYS = ("first-key-of-the-owner", "schlüssel-mit-umlaut")


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {KEYS[0]}"},
        {"Authorization": f"bearer  {KEYS[0]} "},
        {"Authorization": f"Bearer {KEYS[1]}"},
        {"Sec-WebSocket-Protocol": f"realtime, openai-insecure-api-key.{KEYS[0]}"},
    ],
)
def test_a_known_key_comes_in(headers: dict[str, str]) -> None:
    require_key(make_mocked_request("GET", "/", headers), KEYS)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": KEYS[0]},
        {"Authorization": f"Basic {KEYS[0]}"},
        {"Authorization": "Bearer "},
        {"Authorization": f"Bearer {KEYS[0][:-1]}"},
        {"Authorization": "Bearer \udcff"},  # a byte that is not UTF-8, as aiohttp reads it
        {"Sec-WebSocket-Protocol": "realtime"},
    ],
)
def test_anything_else_does_not(headers: dict[str, str]) -> None:
    with pytest.raises(web.HTTPUnauthorized):
        require_key(make_mocked_request("GET", "/", headers), KEYS)


def test_no_key_is_asked_for_where_none_is_configured() -> None:
    require_key(make_mocked_request("GET", "/"), ())
