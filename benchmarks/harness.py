"""A server of our own under load from a process of its own, and what both took."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from benchmarks.results import LoadResult
from benchmarks.usage import Usage, machine_cpu_seconds, usage
from evaluation.server_process import REPOSITORY, RunningServer, server_process

_MOST_SESSIONS = 1000


class LoadFailed(Exception):
    """The load generator did not end well."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """One run of the load generator against a server."""

    result: LoadResult
    server_cpu_seconds: float
    server_resident_mb: float  # at the end of it
    health: dict[str, Any]
    jobs_per_step: Mapping[str, float] = field(default_factory=dict)  # mean of each engine
    other_cpu_seconds: float = 0.0  # of the machine: neither the server's nor the callers'


class Load:
    """A load generator at work: `python -m benchmarks.load`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.pid = process.pid
        self._process = process

    def result(self) -> LoadResult:
        """What it found, once it has ended. Raises `LoadFailed`."""
        found, complaints = self._process.communicate()
        if self._process.returncode:
            raise LoadFailed(
                f"the load generator ended with {self._process.returncode}: {complaints}"
            )
        return LoadResult.from_json(json.loads(found))


@contextmanager
def server(
    output: Path, *, arguments: Sequence[str] = (), module: str = "server"
) -> Iterator[RunningServer]:
    """A server that lets everybody in, whatever tinig.toml says. Its log is in `output`."""
    output.mkdir(parents=True, exist_ok=True)
    everyone = ("--host=127.0.0.1", "--api-keys=", f"--max-sessions={_MOST_SESSIONS}")
    with server_process(
        output / "server.log", arguments=(*everyone, *arguments), module=module
    ) as running:
        yield running


def begin_load(running: RunningServer, *arguments: str) -> Load:
    """Start `python -m benchmarks.load` with these arguments."""
    return begin_callers("benchmarks.load", running.realtime_url, *arguments)


def begin_callers(module: str, *arguments: str) -> Load:
    """Start a load generator, `python -m module`, with these arguments."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    return Load(process)


def load(running: RunningServer, *arguments: str) -> Loaded:
    """Run `python -m benchmarks.load` with these arguments. Raises `LoadFailed`."""
    before, machine_before = usage(running.pid), machine_cpu_seconds()
    result = begin_load(running, *arguments).result()
    after, machine_after = usage(running.pid), machine_cpu_seconds()
    server_cpu_seconds = after.cpu_seconds - before.cpu_seconds
    ours = server_cpu_seconds + result.cpu_seconds
    return Loaded(
        result,
        server_cpu_seconds,
        after.resident_mb,
        health(running),
        jobs_per_step(running),
        max(0.0, machine_after - machine_before - ours),
    )


def health(running: RunningServer) -> dict[str, Any]:
    """What the server says of itself."""
    with urllib.request.urlopen(f"{running.http_url}/healthz", timeout=10) as reply:
        body: dict[str, Any] = json.load(reply)
        return body


def jobs_per_step(running: RunningServer) -> dict[str, float]:
    """The mean batch of each engine since the server's start."""
    with urllib.request.urlopen(f"{running.http_url}/metrics", timeout=10) as reply:
        families = {one.name: one for one in text_string_to_metric_families(reply.read().decode())}
    sums: dict[str, float] = {}
    counts: dict[str, float] = {}
    for sample in families["tinig_engine_batch_size"].samples:
        if sample.name.endswith("_sum"):
            sums[sample.labels["engine"]] = sample.value
        elif sample.name.endswith("_count"):
            counts[sample.labels["engine"]] = sample.value
    return {engine: sums[engine] / count for engine, count in counts.items() if count}


def server_usage(running: RunningServer) -> Usage:
    """What the server has taken since its start."""
    return usage(running.pid)
