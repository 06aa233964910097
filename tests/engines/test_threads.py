"""Products of matrices stay on the thread that asked for them."""

import subprocess
import sys

from engines.config import REPOSITORY

COUNT_THREADS = """
import server.app, os
import numpy as np
before = len(os.listdir("/proc/self/task"))
np.ones((1000, 1000), np.float32) @ np.ones((1000, 1000), np.float32)
print(before, len(os.listdir("/proc/self/task")), os.environ["OPENBLAS_NUM_THREADS"])
"""


def test_the_servers_matrix_products_start_no_threads() -> None:
    shown = subprocess.run(
        [sys.executable, "-c", COUNT_THREADS],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    before, after, allowed = shown
    assert allowed == "1"
    assert before == after
