"""When the first audio of a sentence is there: a voice's graph in one run, beside the graph whose
decoder was cut off and is run on a few frames at a time, as our engine does it.

Both in one run, in turns. No noise goes in, so that both have to make the same audio.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import numpy as np

from benchmarks.random_models.vits import FRAMES_PER_ID, HOP_SAMPLES, RATE_HZ
from benchmarks.results import Percentiles, percentiles_of_seconds
from engines.tts import vits_graph
from engines.tts.piper_model import Audio, CutModel, PiperModel, Scales, WholeModel
from evaluation.tables import markdown

SECONDS = (2, 5, 10)  # of speech
_SPEAKER = 0
_NO_NOISE = Scales(noise=0.0, length=1.0, noise_w=0.0)
_NUM_IDS = 100  # different ones


@dataclass(frozen=True, slots=True)
class Spoken:
    """Sentences of one length. ms from the request."""

    seconds: int
    whole_first: Percentiles
    cut_first: Percentiles
    whole_all: Percentiles
    cut_all: Percentiles
    difference: float  # the largest between their samples, which lie within -1..1

    @property
    def times_sooner(self) -> float:
        """The first audio of the cut graph."""
        return self.whole_first.p50 / self.cut_first.p50


def measure(path: Path, device: str, *, times: int) -> list[Spoken]:
    """A voice of `write_random_vits`, `times` at each length."""
    graph = vits_graph.cut(path)
    assert graph is not None
    models = (WholeModel(path, device), CutModel(graph, device))
    return [_measured(models, seconds, times) for seconds in SECONDS]


def table(rows: Sequence[Spoken]) -> str:
    """Markdown: a row a length."""
    head = [
        "speech",
        "first audio, whole, P50 / P95 ms",
        "first audio, cut",
        "times sooner",
        "all audio, whole",
        "all audio, cut",
        "largest difference",
    ]
    cells = [
        [
            f"{one.seconds} s",
            str(one.whole_first),
            str(one.cut_first),
            f"{one.times_sooner:.1f}",
            str(one.whole_all),
            str(one.cut_all),
            f"{one.difference:.0e}",
        ]
        for one in rows
    ]
    return markdown(head, cells)


def _measured(models: tuple[PiperModel, PiperModel], seconds: int, times: int) -> Spoken:
    ids = _sentence(seconds)
    rounds = [[_spoken(model, ids) for model in models] for _ in range(1 + times)]
    whole, cut = zip(*rounds[1:], strict=True)  # the first one warms
    return Spoken(
        seconds,
        whole_first=percentiles_of_seconds(first for first, _, _ in whole),
        cut_first=percentiles_of_seconds(first for first, _, _ in cut),
        whole_all=percentiles_of_seconds(last for _, last, _ in whole),
        cut_all=percentiles_of_seconds(last for _, last, _ in cut),
        difference=float(np.abs(whole[0][2] - cut[0][2]).max()),
    )


def _spoken(model: PiperModel, ids: Sequence[int]) -> tuple[float, float, Audio]:
    """Seconds to its first audio and to all of it, which is float32[n]."""
    started = time.perf_counter()
    chunks, times = [], []
    for chunk in model.speak(ids, _NO_NOISE, _SPEAKER):
        chunks.append(chunk)
        times.append(time.perf_counter() - started)
    return times[0], times[-1], np.concatenate(chunks)


def _sentence(seconds: int) -> list[int]:
    """As many phoneme ids as make so much speech."""
    count = round(seconds * RATE_HZ / HOP_SAMPLES / FRAMES_PER_ID)
    return list(islice(cycle(range(1, _NUM_IDS)), count))
