"""Importing the engines sets what the native libraries read when they are loaded."""

import os
import subprocess
import sys

from engines.config import REPOSITORY

NAMES = ("OMP_WAIT_POLICY", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "GGML_NO_BACKTRACE")
SCRIPT = f"import engines, os; print(*(os.environ[name] for name in {NAMES!r}))"


def settings(**environment: str) -> list[str]:
    kept = {name: value for name, value in os.environ.items() if name not in NAMES}
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=REPOSITORY,
        env=kept | environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return result.stdout.split()


def test_threads_that_wait_sleep_and_a_crash_does_not_hang() -> None:
    assert settings() == ["PASSIVE", "1", "1", "1"]


def test_an_owners_own_setting_wins() -> None:
    assert settings(OMP_WAIT_POLICY="ACTIVE")[0] == "ACTIVE"
