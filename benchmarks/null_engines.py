"""Engines that take no time, behind real batchers: what is left is the server itself.

They are for measuring alone: the speech that they hear and the answer that they give are always
the same.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import numpy as np

from engines.batcher import Batcher, Job
from engines.host import Engines
from engines.llm import ChatRequest, Completion, TextDelta
from engines.stt import Transcript
from engines.tts import SpeechChunk
from engines.vad import VadResult, VadState

_WORDS = ("This ", "is ", "an ", "answer ", "of ", "ten ", "words, ", "said ", "without ", "sense.")
_RATE_HZ = 22_050
_SECONDS_OF_SPEECH = 3.0
_LOUD = 0.05  # of full scale: speech


class _NullEngine:
    """Answers every job in one step."""

    max_batch = 128

    def load(self) -> None:
        """There is nothing to load."""

    def start(self, job: Job[Any, Any]) -> bool:
        """There is always room."""
        return True

    def step(self, jobs: Sequence[Job[Any, Any]]) -> None:
        """Answer all."""
        for job in jobs:
            self.answer(job)
            job.finish()

    def stop(self, job: Job[Any, Any]) -> None:
        """A job holds nothing."""

    def assert_idle(self) -> None:
        """No slot is ever taken."""

    def answer(self, job: Job[Any, Any]) -> None:
        """Emit what the job asked for."""
        raise NotImplementedError


class _Vad(_NullEngine):
    def __init__(self) -> None:
        nothing = np.zeros(0, np.float32)
        self._state = VadState(nothing, nothing)

    def answer(self, job: Job[Any, Any]) -> None:
        is_loud = float(np.abs(job.request.samples).max()) > _LOUD
        job.emit(VadResult(0.95 if is_loud else 0.02, self._state))


class _Stt(_NullEngine):
    def answer(self, job: Job[Any, Any]) -> None:
        languages = job.request.languages
        shares = {language: 1 / len(languages) for language in languages}
        heard = "What is the capital of France?"
        job.emit(Transcript(heard, languages[0], shares, 0.95, 0.01, None, 1.0))


class _Llm(_NullEngine):
    def answer(self, job: Job[Any, Any]) -> None:
        if not isinstance(job.request, ChatRequest) or not job.request.generate:
            job.emit(Completion("ready"))
            return
        for word in _WORDS:
            job.emit(TextDelta(word))
        job.emit(Completion("stop", 50, 40, len(_WORDS)))


class _Tts(_NullEngine):
    def __init__(self) -> None:
        seconds = np.arange(round(_SECONDS_OF_SPEECH * _RATE_HZ)) / _RATE_HZ
        self._tone = (8000 * np.sin(2 * np.pi * 220 * seconds)).astype(np.int16)

    def answer(self, job: Job[Any, Any]) -> None:
        for piece in np.array_split(self._tone, 10):
            job.emit(SpeechChunk(piece, _RATE_HZ))


@asynccontextmanager
async def null_engines() -> AsyncIterator[Engines]:
    """All four, running."""
    async with (
        Batcher[Any, Any]("vad", _Vad()) as vad,
        Batcher[Any, Any]("stt", _Stt()) as stt,
        Batcher[Any, Any]("llm", _Llm()) as llm,
        Batcher[Any, Any]("tts", _Tts()) as tts,
    ):
        yield Engines(vad, stt, llm, tts)
