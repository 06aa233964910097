"""Measures a running server from the outside, as its callers hear it."""

import engines  # noqa: F401  # its settings of threads come before numpy is loaded
