"""Whether it pays to wait for others before a step of Whisper, where turns end at random.

Our batchers do not wait: a batch is what queued while the last step ran. Here one does, beside it.
"""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.results import Percentiles, percentiles_of_seconds
from benchmarks.stages import three_seconds
from engines.batcher import Batcher, Job
from engines.config import SttConfig
from engines.stt import SttEngine
from evaluation.tables import markdown

WINDOWS_MS = (0, 10, 30)


@dataclass(frozen=True, slots=True)
class Window:
    """Of one window: ms from the end of a caller's turn to its transcript."""

    window_ms: int
    calls: int  # whose turns end in the same `spread_seconds`
    spread_seconds: float
    mean_batch: float
    found: Percentiles


class WaitingEngine(SttEngine):
    """Waits before every step until the window of its first job is over."""

    window_seconds = 0.0
    steps = 0
    _begun: float | None = None

    def step(self, jobs: Sequence[Job[Any, Any]]) -> None:
        """Nothing while the window is open: the jobs stay, and others may join them."""
        now = time.perf_counter()
        self._begun = now if self._begun is None else self._begun
        rest = self._begun + self.window_seconds - now
        if rest > 0:
            time.sleep(min(rest, 0.001))
            return
        self._begun = None
        self.steps += 1
        super().step(jobs)


async def measure(
    config: SttConfig, *, calls: int, spread_seconds: float, rounds: int
) -> list[Window]:
    """Every window in turns; the turns of a round end at the same moments in each of them."""
    engine = WaitingEngine(config)
    seconds: dict[int, list[float]] = {window: [] for window in WINDOWS_MS}
    steps = dict.fromkeys(WINDOWS_MS, 0)
    async with Batcher[Any, Any]("stt", engine) as jobs:
        for number in range(rounds):
            rng = random.Random(number)
            ends = [rng.uniform(0, spread_seconds) for _ in range(calls)]
            for window in WINDOWS_MS:
                engine.window_seconds, before = window / 1000, engine.steps
                seconds[window] += await asyncio.gather(*(_transcribed(jobs, at) for at in ends))
                steps[window] += engine.steps - before
    return [
        Window(
            window, calls, spread_seconds, len(found) / steps[window], percentiles_of_seconds(found)
        )
        for window, found in seconds.items()
    ]


def table(windows: Sequence[Window]) -> str:
    """Markdown: a row a window, its P50 beside that of none."""
    none = windows[0].found.p50
    rows = [
        [
            f"{one.window_ms} ms",
            f"{one.mean_batch:.1f}",
            str(one.found),
            f"{one.found.p50 / none:.2f}",
        ]
        for one in windows
    ]
    return markdown(["window", "mean batch", "final transcript, P50 / P95 ms", "ratio"], rows)


async def _transcribed(jobs: Batcher[Any, Any], at_seconds: float) -> float:
    """The seconds that a transcript takes which is asked for at this moment of the round."""
    request = three_seconds()
    await asyncio.sleep(at_seconds)
    started = time.perf_counter()
    await jobs.run(request)
    return time.perf_counter() - started
