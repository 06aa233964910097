"""Is there speech in this 32 ms window? Silero VAD, for all calls at once.

The model is recurrent. Each call's state travels with its requests (state in, state out), so the
engine itself remembers nothing between steps and the windows of any calls share one run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engines.batcher import Job
from engines.config import VadConfig
from engines.errors import EngineError, ModelError
from engines.loaded import LoadedModel, megabytes_of, model_error, stopwatch
from engines.onnx_session import open_session

RATE_HZ = 16000
WINDOW_SAMPLES = 512
CONTEXT_SAMPLES = 64  # the end of the window before, which the model sees again

# Least time between two runs: of fifty calls' windows a dozen share one. A call's own come every
# 32 ms, so that who is alone never waits.
GATHER_SECONDS = 0.008

_RECURRENT_SHAPE = (2, 128)
_MAX_WINDOWS = 128  # 7 ms in one run
# The only file of the distribution that takes a batch and runs on every opset from 15 on.
_MODEL_IN_DISTRIBUTION = "silero_vad/data/silero_vad_16k_op15.onnx"

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class VadState:
    """What the model remembers of one call. Opaque: hand it back with the next window."""

    recurrent: Samples  # float32[2, 128]
    context: Samples  # float32[64]


@dataclass(frozen=True, slots=True, eq=False)
class VadRequest:
    """The next windows of one call, of which each step takes one."""

    samples: Samples  # float32[512 n], mono, 16 kHz, within -1..1
    state: VadState | None  # None: the call's first window


@dataclass(frozen=True, slots=True, eq=False)
class VadResult:
    """What the model says of the window, and the state for the next one."""

    speech_probability: float
    state: VadState


class VadEngine:
    """Implements `engines.batcher.Engine`: a job emits one `VadResult` for each of its windows."""

    max_batch = _MAX_WINDOWS

    def __init__(self, config: VadConfig) -> None:
        self._config = config
        self._session: Any = None
        self._started = 0
        self.loaded: tuple[LoadedModel, ...] = ()

    def load(self) -> None:
        """Load and warm the model. Raises `ModelError`."""
        path = Path(self._config.model) if self._config.model else installed_model()
        if not path.is_file():
            raise model_error(path, "is missing")
        with stopwatch() as watch:
            try:
                self._session = open_session(path)
            except Exception as error:
                raise model_error(path, f"is broken: {error}") from error
            try:
                self._run([VadRequest(np.zeros(WINDOW_SAMPLES, np.float32), None)])
            except Exception as error:
                raise model_error(path, f"is not a Silero VAD model: {error}") from error
        self.loaded = (
            LoadedModel("vad", path.stem, str(path), "cpu", megabytes_of(path), watch.seconds),
        )

    def start(self, job: Job[VadRequest, VadResult]) -> bool:
        """Refuse windows that are none: they would poison the call's state for good."""
        samples = job.request.samples
        is_whole = samples.ndim == 1 and len(samples) and not len(samples) % WINDOW_SAMPLES
        if not is_whole or not np.isfinite(samples).all():
            raise EngineError(f"A VAD window is {WINDOW_SAMPLES} finite samples at {RATE_HZ} Hz.")
        job.state = job.request
        self._started += 1
        return True

    def step(self, jobs: Sequence[Job[VadRequest, VadResult]]) -> None:
        """The next window of every job in one run."""
        windows = [VadRequest(job.state.samples[:WINDOW_SAMPLES], job.state.state) for job in jobs]
        for job, result in zip(jobs, self._run(windows), strict=True):
            job.emit(result)
            rest = job.state.samples[WINDOW_SAMPLES:]
            job.state = VadRequest(rest, result.state)
            if not len(rest):
                job.finish()

    def stop(self, job: Job[VadRequest, VadResult]) -> None:
        """Drop what is left of it."""
        job.state = None
        self._started -= 1

    def assert_idle(self) -> None:
        """Raise `AssertionError` if a started job was not stopped."""
        assert self._started == 0, f"{self._started} VAD jobs were started and not stopped"

    def _run(self, requests: Sequence[VadRequest]) -> list[VadResult]:
        states = [request.state or _silent_state() for request in requests]
        windows = np.stack(
            [
                np.concatenate([state.context, request.samples], dtype=np.float32)
                for state, request in zip(states, requests, strict=True)
            ]
        )
        probabilities, recurrent = self._session.run(
            None,
            {
                "input": windows,
                "state": np.stack([state.recurrent for state in states], axis=1),
                "sr": np.array(RATE_HZ, dtype=np.int64),
            },
        )
        return [
            VadResult(
                float(probabilities[row, 0]),
                VadState(recurrent[:, row].copy(), windows[row, -CONTEXT_SAMPLES:].copy()),
            )
            for row in range(len(requests))
        ]


def installed_model() -> Path:
    """The ONNX file of the installed silero-vad, found without importing it (it imports torch)."""
    try:
        path = Path(str(distribution("silero-vad").locate_file(_MODEL_IN_DISTRIBUTION)))
    except PackageNotFoundError as error:
        raise ModelError("silero-vad is not installed. `make setup` installs it.") from error
    if not path.is_file():
        raise ModelError(f"{path} is missing. `make setup` installs silero-vad again.")
    return path


def _silent_state() -> VadState:
    return VadState(
        np.zeros(_RECURRENT_SHAPE, np.float32), np.zeros(CONTEXT_SAMPLES, dtype=np.float32)
    )
