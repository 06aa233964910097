"""What a process takes of the machine, from Linux's /proc."""

import os
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Usage:
    """Of one process: CPU time since its start, memory that is its own."""

    cpu_seconds: float
    resident_mb: float


def usage(pid: int) -> Usage:
    """What the process `pid` has taken so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    user_ticks, system_ticks = int(fields[11]), int(fields[12])
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8")
    kilobytes = sum(
        int(line.split()[1])
        for line in rollup.splitlines()
        if line.startswith(("Private_Clean", "Private_Dirty"))
    )
    return Usage((user_ticks + system_ticks) / _TICKS_PER_SECOND, kilobytes / 1024)
