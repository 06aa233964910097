"""What the server itself costs: a streaming call in CPU time, an idle one in memory."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.harness import Loaded, load, server, server_usage
from evaluation.server_process import RunningServer
from evaluation.tables import markdown

_IDLE_CALLS = 200
_SETTLE_SECONDS = 2.0
FEWEST_CALLS_PER_CORE = 200
MOST_IDLE_MB = 1.0


@dataclass(frozen=True, slots=True)
class Overhead:
    """`streaming`: calls that talk and are answered all the time."""

    streaming: Loaded
    idle_mb_per_call: float

    @property
    def calls_per_core(self) -> float:
        """Streaming calls that would take one core."""
        result = self.streaming.result
        return result.calls * result.seconds / self.streaming.server_cpu_seconds

    def table(self) -> str:
        """Markdown, with the goals."""
        rows = [
            [
                "streaming calls on one core",
                f"{self.calls_per_core:.0f}",
                f"≥ {FEWEST_CALLS_PER_CORE}",
            ],
            ["MB of an idle call", f"{self.idle_mb_per_call:.2f}", f"≤ {MOST_IDLE_MB:.0f}"],
            ["generator too slow", "yes" if self.streaming.result.is_bottleneck else "no", "no"],
        ]
        return markdown(["with engines that take no time", "measured", "goal"], rows)

    def to_json(self) -> dict[str, Any]:
        """The figures."""
        return {
            "calls": self.streaming.result.calls,
            "turns": len(self.streaming.result.exchanges),
            "calls_per_core": self.calls_per_core,
            "idle_mb_per_call": self.idle_mb_per_call,
            "generator_is_bottleneck": self.streaming.result.is_bottleneck,
        }


def measure(output: Path, calls: int, seconds: float) -> Overhead:
    """Idle calls first, then `calls` that stream."""
    with server(output, module="benchmarks.null_server") as running:
        idle_mb = asyncio.run(_idle_mb_per_call(running))
        streaming = load(running, f"--calls={calls}", f"--seconds={seconds}", "--interrupt=0")
    return Overhead(streaming, idle_mb)


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
