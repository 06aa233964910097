"""Names of things on the wire."""

import secrets
from collections.abc import Iterator

_HEX_DIGITS = 20
_NAMES_AT_ONCE = 256  # the system is asked for randomness once for so many


def new_id(kind: str) -> str:
    """A fresh identifier such as `item_3f9a…`: random, so that it tells nothing of other calls.

    For the event loop's thread.
    """
    return f"{kind}_{next(_RANDOM)}"


def _random() -> Iterator[str]:
    while True:
        digits = secrets.token_hex(_HEX_DIGITS * _NAMES_AT_ONCE // 2)
        for start in range(0, len(digits), _HEX_DIGITS):
            yield digits[start : start + _HEX_DIGITS]


_RANDOM = _random()
