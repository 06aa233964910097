"""Names of things on the wire."""

import secrets


def new_id(kind: str) -> str:
    """A fresh identifier such as `item_3f9a…`: random, so that it tells nothing of other calls."""
    return f"{kind}_{secrets.token_hex(10)}"
