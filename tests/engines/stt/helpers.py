"""Driving the STT engine step by step, without a thread."""

from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from engines.batcher import Batcher, Job, Priority
from engines.config import SttConfig
from engines.stt import SttEngine, SttRequest, Transcript

LANGUAGES = ("en", "es", "hi")

Samples = npt.NDArray[np.float32]


def step_job(
    engine: SttEngine, request: SttRequest, priority: Priority
) -> Job[SttRequest, Transcript]:
    """A job for an engine that the test steps itself."""
    batcher: Batcher[SttRequest, Transcript] = Batcher("stt", engine)
    return batcher.submit(request, priority=priority)


def make_engine(directory: Path, *, short_windows: bool | None = True) -> SttEngine:
    """A loaded engine."""
    engine = SttEngine(SttConfig(str(directory), device="cpu", short_windows=short_windows))
    engine.load()
    return engine


def noisy_tone(seconds: float, seed: int = 0) -> Samples:
    """A tone in noise: something that differs from any other seed's."""
    count = int(seconds * 16000)
    noise = np.random.default_rng(seed).random(count, dtype=np.float32)
    tone: Samples = np.sin(np.arange(count, dtype=np.float32) * 0.05 * (seed + 1))
    return tone * noise * np.float32(0.3)


def ask(
    samples: Samples,
    languages: tuple[str, ...] = LANGUAGES,
    language: str | None = None,
    task: Literal["transcribe", "translate"] = "transcribe",
) -> SttRequest:
    """A request with the languages of these tests."""
    return SttRequest(samples, languages, language, task)


def transcribe(
    engine: SttEngine, *requests: SttRequest, priority: Priority = Priority.ANSWER
) -> list[Transcript]:
    """All requests in one batch, step by step to their ends."""
    jobs = [step_job(engine, request, priority) for request in requests]
    for job in jobs:
        assert engine.start(job)
    while running := [job for job in jobs if not job.finished]:
        engine.step(running)
    for job in jobs:
        engine.stop(job)
    engine.assert_idle()
    return [job.emitted[0] for job in jobs]
