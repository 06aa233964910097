"""Whole recordings through the recognizer of the configuration, each under several conditions.

The engine is the server's own, with its windows and guards; nobody tells it the language.
"""

import asyncio
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engines.batcher import Batcher, Priority
from engines.config import SttConfig
from engines.errors import EngineError
from engines.stt import SttEngine, SttRequest, Transcript
from evaluation.data.layout import Clip, Dataset
from evaluation.data.rows import RowError
from evaluation.degradation import CONDITIONS, Samples
from evaluation.results import Record, Results, with_progress

Stt = Batcher[SttRequest, Transcript]


@dataclass(frozen=True, slots=True)
class Job:
    """One recording under one condition."""

    dataset: Dataset
    clip: Clip
    condition: str

    @property
    def key(self) -> str:
        """Unique in a run."""
        return f"{self.dataset.name}/{self.clip.id}/{self.condition}"

    def samples(self) -> Samples:
        """float32[n] at 16 kHz; the same noise for the same key. Raises `RowError`."""
        rng = np.random.default_rng(zlib.crc32(self.key.encode()))
        return CONDITIONS[self.condition](self.dataset.samples(self.clip), rng)


def plan(datasets: Sequence[Dataset], conditions: Sequence[str]) -> list[Job]:
    """Every clip under every condition; one in which nobody speaks only as it is."""
    return [
        Job(dataset, clip, condition)
        for dataset in datasets
        for clip in dataset.clips
        for condition in (conditions if clip.language else conditions[:1])
    ]


def pending(jobs: Sequence[Job], results: Results) -> list[Job]:
    """The jobs that `results` does not have, or has with other audio.

    Of the others it takes what their set tells of them now: a transcript may have been corrected.
    """
    missing = []
    for job in jobs:
        record, now = results.get(job.key), told(job)
        if record is None or record.get("sha256", now["sha256"]) != now["sha256"]:
            missing.append(job)
        elif any(record.get(name) != value for name, value in now.items()):
            results.append(job.key, {**record, **now})
    return missing


async def measure(
    jobs: Sequence[Job], config: SttConfig, languages: Sequence[str], results: Results, batch: int
) -> list[str]:
    """Transcribe what `results` does not have yet, `batch` at once; what could not be.

    Raises `ModelError` when the recognizer cannot be loaded, `EngineError` when it has died.
    """
    missing = pending(jobs, results)
    if not missing:
        return []
    problems: list[str] = []
    groups = [missing[start : start + batch] for start in range(0, len(missing), batch)]
    async with Stt("stt", SttEngine(config)) as stt:
        for group in with_progress(groups, "whole recordings"):
            problems += await _measure_group(stt, group, languages, results)
            if stt.failure is not None:
                raise EngineError(f"The recognizer has died: {stt.failure!r}.")
    return problems


async def _measure_group(
    stt: Stt, jobs: Sequence[Job], languages: Sequence[str], results: Results
) -> list[str]:
    """The time of a group is shared out by the length of its recordings."""
    audio: list[tuple[Job, Samples]] = []
    problems = []
    for job in jobs:
        try:
            audio.append((job, job.samples()))
        except RowError as error:
            problems.append(str(error))
    started_at = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(_hear(stt, samples, languages)) for _, samples in audio]
    seconds = time.perf_counter() - started_at
    total_samples = sum(len(samples) for _, samples in audio)
    for (job, samples), task in zip(audio, running, strict=True):
        heard = task.result()
        if isinstance(heard, EngineError):
            problems.append(f"{job.key}: {heard}")
        else:
            record = _record(job, heard, seconds * len(samples) / total_samples)
            results.append(job.key, record)
    return problems


async def _hear(stt: Stt, samples: Samples, languages: Sequence[str]) -> Transcript | EngineError:
    try:
        return await stt.run(SttRequest(samples, tuple(languages)), priority=Priority.ANSWER)
    except EngineError as error:
        return error


def _record(job: Job, transcript: Transcript, seconds: float) -> Record:
    return {
        **told(job),
        "heard": transcript.text,
        "heard_language": transcript.language,
        "language_probabilities": _rounded(transcript.language_probabilities),
        "mean_token_probability": round(transcript.mean_token_probability, 4),
        "rejected_by": transcript.rejected_by,
        "audio_seconds": round(transcript.audio_seconds, 3),
        "seconds": round(seconds, 4),
    }


def told(job: Job) -> dict[str, Any]:
    """What is known of a recording before anybody listens."""
    clip = job.clip
    return {
        "dataset": job.dataset.name,
        "clip": clip.id,
        "condition": job.condition,
        "language": clip.language,
        "speaker": clip.speaker,
        "said": clip.text,
        "sha256": clip.sha256,
    }


def _rounded(probabilities: Mapping[str, float]) -> dict[str, float]:
    return {language: round(share, 4) for language, share in probabilities.items()}
