"""What a process takes of the machine, and what all take together, from Linux's /proc."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def pin(pid: int, cores: Iterable[int]) -> None:
    """All threads of a process run on these cores alone from now on, and what they start."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), cores)


@dataclass(frozen=True, slots=True)
class Usage:
    """Of one process: CPU time since its start, memory that is its own."""

    cpu_seconds: float
    resident_mb: float


def machine_cpu_seconds() -> float:
    """CPU time of all processes since the machine's start, and what its host took from it."""
    fields = Path("/proc/stat").read_text(encoding="utf-8").splitlines()[0].split()[1:9]
    user, nice, system, _, _, interrupts, soft_interrupts, stolen = map(int, fields)
    return (user + nice + system + interrupts + soft_interrupts + stolen) / _TICKS_PER_SECOND


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


def usage_of_all(pids: Iterable[int]) -> Usage:
    """Of these processes and all that they started, memory that they share among them once."""
    parents = _parents()
    family = set(pids)
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return Usage(
        sum(usage(pid).cpu_seconds for pid in family),
        sum(_proportional_kilobytes(pid) for pid in family) / 1024,
    )


def _parents() -> dict[int, int]:
    found = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        found[int(status.parent.name)] = int(fields[1])
    return found


def _proportional_kilobytes(pid: int) -> int:
    """Resident, of what is shared the part that comes to this process."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8")
    return next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
