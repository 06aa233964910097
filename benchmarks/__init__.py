"""Measurements: latency, concurrency and peers."""

import engines  # noqa: F401  # its settings of threads come before numpy is loaded
