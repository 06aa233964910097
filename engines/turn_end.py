"""Has the speaker finished, by the sound of it? Smart Turn v3, where the owner has its file.

A Whisper encoder with a head of one probability, by Pipecat (BSD 2-Clause). Input, by its
repository: log-mel features float32[n, 80, 800] of the last 8 s at 16 kHz, the silence in front,
normalised to mean 0 and variance 1; output float32[n, 1], the sigmoid already in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from faster_whisper.feature_extractor import FeatureExtractor

from engines.batcher import Job
from engines.errors import EngineError
from engines.loaded import LoadedModel, megabytes_of, model_error, stopwatch
from engines.onnx_session import open_session

RATE_HZ = 16000
HEARD_SECONDS = 8
MELS = 80
_SAMPLES = HEARD_SECONDS * RATE_HZ
_LEAST_VARIANCE = 1e-7

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class TurnEndRequest:
    """What was said so far, up to a pause."""

    samples: Samples  # float32[n], mono, 16 kHz, within -1..1, of any length


class TurnEndEngine:
    """Implements `engines.batcher.Engine`: a job ends after one step with one probability."""

    max_batch = 1  # two would take twice the time; and who waits no longer costs none so

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._session: Any = None
        self._input = ""
        self._extract = FeatureExtractor(feature_size=MELS, chunk_length=HEARD_SECONDS)
        self._started = 0
        self.loaded: tuple[LoadedModel, ...] = ()

    def load(self) -> None:
        """Load and warm the model. Raises `ModelError`."""
        if not self._path.is_file():
            raise model_error(self._path, "is missing")
        with stopwatch() as watch:
            try:
                self._session = open_session(self._path, "cpu")
                self._input = self._session.get_inputs()[0].name
                self._run(np.linspace(-1, 1, RATE_HZ, dtype=np.float32))
            except Exception as error:
                raise model_error(self._path, f"is not a Smart Turn v3 model: {error}") from error
        size = megabytes_of(self._path)
        name = self._path.stem
        self.loaded = (LoadedModel("vad", name, str(self._path), "cpu", size, watch.seconds),)

    def start(self, job: Job[TurnEndRequest, float]) -> bool:
        """Raises `EngineError` for what is no sound."""
        samples = job.request.samples
        if samples.ndim != 1 or not np.isfinite(samples).all():
            raise EngineError("The end of a turn is judged by one channel of finite samples.")
        self._started += 1
        return True

    def step(self, jobs: Sequence[Job[TurnEndRequest, float]]) -> None:
        """An utterance a run."""
        for job in jobs:
            job.emit(self._run(job.request.samples))
            job.finish()

    def stop(self, job: Job[TurnEndRequest, float]) -> None:
        """A job holds nothing."""
        self._started -= 1

    def assert_idle(self) -> None:
        """Raise `AssertionError` if a started job was not stopped."""
        assert self._started == 0, f"{self._started} jobs were started and not stopped"

    def _run(self, samples: Samples) -> float:
        mels = self._features(samples)[np.newaxis]
        found = np.asarray(self._session.run(None, {self._input: mels})[0], np.float64).reshape(-1)
        if len(found) != 1 or not 0 <= found[0] <= 1:
            raise ValueError(f"expected a probability, got {found}")
        return float(found[0])

    def _features(self, samples: Samples) -> Samples:
        """float32[80, 800]."""
        last = samples[-_SAMPLES:]
        heard = np.pad(last, (_SAMPLES - len(last), 0)).astype(np.float32)
        heard = (heard - heard.mean()) / np.sqrt(heard.var() + _LEAST_VARIANCE)
        mel: Samples = np.asarray(self._extract(heard, padding=0), np.float32)
        return mel
