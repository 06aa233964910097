"""What processes take."""

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.usage import usage_of_all


def test_a_process_is_counted_with_those_that_it_started(tmp_path: Path) -> None:
    alone = usage_of_all([os.getpid()])
    held = "held = bytearray(64 << 20); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", held], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        together = usage_of_all([os.getpid()])
        child.communicate("\n")
    assert together.resident_mb > alone.resident_mb + 60
    assert together.cpu_seconds > alone.cpu_seconds
