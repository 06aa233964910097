"""What the server itself costs: streaming calls on one core, an idle one in memory."""

import asyncio
import os
import time
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.harness import LoadFailed, begin_load, health, server, server_usage
from benchmarks.results import Exchange, LoadResult, column, percentiles
from benchmarks.usage import pin
from evaluation.server_process import RunningServer
from evaluation.tables import markdown

_IDLE_CALLS = 200
_SETTLE_SECONDS = 2.0
_POLL_SECONDS = 0.5
_ARRIVAL_SECONDS = 120.0  # within which all callers have to be there
FEWEST_CALLS_ON_A_CORE = 200
MOST_IDLE_MB = 1.0


@dataclass(frozen=True, slots=True)
class Overhead:
    """`streaming`: calls that talk and are answered all the time, by a server on one core."""

    streaming: LoadResult
    cores: float  # taken by the server while all of them were there
    idle_mb_per_call: float

    def table(self) -> str:
        """Markdown, with the goals."""
        found = self.streaming
        rows = [
            ["calls that stream on one core", f"{found.calls}", f"≥ {FEWEST_CALLS_ON_A_CORE}"],
            ["share of the core that they take", f"{self.cores:.0%}", ""],
            ["confirmed to sent, P50 / P95 ms", column(found.exchanges, _added_ms), "≤ 100"],
            ["voice to voice, P50 / P95 ms", column(found.exchanges, _voice_to_voice_ms), ""],
            ["underruns", f"{found.underrun_share:.2%}", "≤ 0.1%"],
            ["MB of an idle call", f"{self.idle_mb_per_call:.2f}", f"≤ {MOST_IDLE_MB:.0f}"],
            ["generator too slow", "yes" if found.is_bottleneck else "no", "no"],
        ]
        return markdown(["with engines that take no time", "measured", "goal"], rows)

    def to_json(self) -> dict[str, Any]:
        """The figures."""
        found = self.streaming
        added = percentiles(map(_added_ms, found.exchanges))
        heard = percentiles(map(_voice_to_voice_ms, found.exchanges))
        return {
            "calls": found.calls,
            "turns": len(found.exchanges),
            "cores": self.cores,
            "added_ms": asdict(added) if added else None,
            "voice_to_voice_ms": asdict(heard) if heard else None,
            "underrun_share": found.underrun_share,
            "failures": found.failures,
            "idle_mb_per_call": self.idle_mb_per_call,
            "generator_is_bottleneck": found.is_bottleneck,
        }


def _added_ms(exchange: Exchange) -> float | None:
    return exchange.added_ms


def _voice_to_voice_ms(exchange: Exchange) -> float | None:
    return exchange.voice_to_voice_ms


def measure(output: Path, calls: int, seconds: float) -> Overhead:
    """Idle calls first, then `calls` that stream, with the server on one core alone and the
    callers on the others, where there are any. Raises `LoadFailed`."""
    with server(output, module="benchmarks.null_server") as running:
        idle_mb = asyncio.run(_idle_mb_per_call(running))
        core, *others = sorted(os.sched_getaffinity(0))
        pin(running.pid, [core])
        callers = begin_load(running, f"--calls={calls}", f"--seconds={seconds}", "--interrupt=0")
        pin(callers.pid, others or [core])
        cores = _cores_with(running, calls, seconds)
        return Overhead(callers.result(), cores, idle_mb)


def _cores_with(running: RunningServer, calls: int, seconds: float) -> float:
    """Cores that the server takes from when all calls are there until the first one goes."""
    deadline = time.monotonic() + _ARRIVAL_SECONDS
    while health(running)["sessions"] < calls:
        if time.monotonic() > deadline:
            raise LoadFailed(f"{calls} calls were never there at once")
        time.sleep(_POLL_SECONDS)
    time.sleep(_SETTLE_SECONDS)
    began = at, taken = time.monotonic(), server_usage(running).cpu_seconds
    while health(running)["sessions"] == calls and at < began[0] + seconds:
        time.sleep(_POLL_SECONDS)
        at, taken = time.monotonic(), server_usage(running).cpu_seconds
    if at == began[0]:
        raise LoadFailed("the calls were over before they could be measured: give --seconds more")
    return (taken - began[1]) / (at - began[0])


async def _idle_mb_per_call(running: RunningServer) -> float:
    """Memory of calls that are open and say nothing."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as http, AsyncExitStack() as sockets:
        await sockets.enter_async_context(http.ws_connect(running.realtime_url))  # the first warms
        await asyncio.sleep(_SETTLE_SECONDS)
        before = server_usage(running)
        for _ in range(_IDLE_CALLS):
            await sockets.enter_async_context(http.ws_connect(running.realtime_url))
        await asyncio.sleep(_SETTLE_SECONDS)
        return (server_usage(running).resident_mb - before.resident_mb) / _IDLE_CALLS
