"""`/metrics`: the counters and the latency record, as Prometheus reads them."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from engines.batcher import Batcher
from engines.host import Engines
from server.metrics import Counters, TurnKind
from server.rest.operation import Operation

_BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64, math.inf)


class Metrics(Collector):
    """Reads what the process has counted when it is asked: nothing is counted twice."""

    def __init__(self, counters: Counters, engines: Engines) -> None:
        self._counters = counters
        self._engines = engines
        self._registry = CollectorRegistry()
        self._registry.register(self)
        self._registry.register(counters.milestones)
        self._registry.register(counters.hearing_lag)

    def operations(self) -> list[Operation]:
        """What can be asked."""
        answer = {"text/plain": None}
        return [Operation("GET", "/metrics", self.get, "Metrics, for Prometheus.", answer)]

    async def get(self, request: web.Request) -> web.Response:
        """All metrics."""
        body = generate_latest(self._registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})

    def collect(
        self,
    ) -> Iterator[CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily]:
        """Everything but the histograms of times."""
        counters = self._counters
        yield GaugeMetricFamily("tinig_sessions", "Calls that are open.", counters.sessions)
        yield GaugeMetricFamily("tinig_requests", "REST requests in the making.", counters.requests)
        yield self._turns()
        yield _counter("drafts", "Answers begun before the turn was over.", "fate", counters.drafts)
        yield CounterMetricFamily(
            "tinig_wasted_tokens", "Generated for drafts in vain.", counters.wasted_tokens
        )
        yield _counter("prefills", "Prompts read ahead.", "end", counters.prefills)
        yield _counter("interruptions", "Sounds over an answer.", "verdict", counters.interruptions)
        yield _counter("refused", "Turned away at the door.", "reason", counters.refused)
        yield self._pending()
        yield self._batches()

    def _turns(self) -> CounterMetricFamily:
        turns = CounterMetricFamily("tinig_turns", "Turns that ended.", labels=TurnKind._fields)
        for kind, count in self._counters.turns.items():
            turns.add_metric(kind, count)
        return turns

    def _pending(self) -> GaugeMetricFamily:
        pending = GaugeMetricFamily(
            "tinig_engine_jobs", "Jobs of an engine that wait or run.", labels=("engine",)
        )
        for batcher in self._batchers():
            pending.add_metric((batcher.name,), batcher.pending)
        return pending

    def _batches(self) -> HistogramMetricFamily:
        batches = HistogramMetricFamily(
            "tinig_engine_batch_size", "Jobs in a step of an engine.", labels=("engine",)
        )
        for batcher in self._batchers():
            sizes = batcher.batch_sizes
            buckets = [
                (str(most) if most < math.inf else "+Inf", _steps_of_at_most(sizes, most))
                for most in _BATCH_SIZES
            ]
            num_jobs = sum(size * steps for size, steps in sizes.items())
            batches.add_metric((batcher.name,), buckets, num_jobs)
        return batches

    def _batchers(self) -> Iterator[Batcher[Any, Any]]:
        engines = self._engines
        yield from (engines.vad, engines.stt, engines.llm, engines.tts)
        for optional in (engines.nmt, engines.turn_end):
            if optional is not None:
                yield optional


def _steps_of_at_most(sizes: Mapping[int, int], most: float) -> int:
    return sum(steps for size, steps in sizes.items() if size <= most)


def _counter(name: str, about: str, label: str, counts: Mapping[str, int]) -> CounterMetricFamily:
    family = CounterMetricFamily(f"tinig_{name}", about, labels=(label,))
    for value, count in counts.items():
        family.add_metric((value,), count)
    return family
