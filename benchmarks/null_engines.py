"""Engines that take no time, behind real batchers: what is left is the server itself.

They are for measuring alone: the speech that they hear and the answer that they give are always
the same.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import numpy as np

from engines.batcher import Batcher, Job
from engines.host import Engines
from engines.llm import ChatRequest, Completion, TextDelta
from engines.stt import Transcript
from engines.tts import SpeechChunk
from engines.vad import GATHER_SECONDS, VadResult, VadState

_WORDS = ("This ", "is ", "an ", "answer ", "of ", "ten ", "words, ", "said ", "without ", "sense.")
_RATE_HZ = 22_050
_SECONDS_OF_SPEECH = 3.0
_LOUD = 0.02  # root mean square of a window of speech
_PIECES_OF_SPEECH = 10

Answer = Callable[[Job[Any, Any]], None]  # emits what the job asked for


class _NullEngine:
    """Answers every job in one step."""

    max_batch = 128

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def load(self) -> None:
        """There is nothing to load."""

    def start(self, job: Job[Any, Any]) -> bool:
        """There is always room."""
        return True

    def step(self, jobs: Sequence[Job[Any, Any]]) -> None:
        """Answer all."""
        for job in jobs:
            self._answer(job)
            job.finish()

    def stop(self, job: Job[Any, Any]) -> None:
        """A job holds nothing."""

    def assert_idle(self) -> None:
        """No slot is ever taken."""


_NOTHING = VadState(np.zeros(0, np.float32), np.zeros(0, np.float32))


def _vad(job: Job[Any, Any]) -> None:
    window = job.request.samples
    is_loud = float(window @ window) > len(window) * _LOUD**2
    job.emit(VadResult(0.95 if is_loud else 0.02, _NOTHING))


def _stt(job: Job[Any, Any]) -> None:
    languages = job.request.languages
    shares = {language: 1 / len(languages) for language in languages}
    heard = "What is the capital of France?"
    job.emit(Transcript(heard, languages[0], shares, 0.95, 0.01, None, 1.0))


def _llm(job: Job[Any, Any]) -> None:
    if not isinstance(job.request, ChatRequest) or not job.request.generate:
        job.emit(Completion("ready"))
        return
    for word in _WORDS:
        job.emit(TextDelta(word))
    job.emit(Completion("stop", 50, 40, len(_WORDS)))


def _tts() -> Answer:
    seconds = np.arange(round(_SECONDS_OF_SPEECH * _RATE_HZ)) / _RATE_HZ
    tone = (8000 * np.sin(2 * np.pi * 220 * seconds)).astype(np.int16)
    chunks = [SpeechChunk(piece, _RATE_HZ) for piece in np.array_split(tone, _PIECES_OF_SPEECH)]

    def answer(job: Job[Any, Any]) -> None:
        for chunk in chunks:
            job.emit(chunk)

    return answer


@asynccontextmanager
async def null_engines() -> AsyncIterator[Engines]:
    """All four, running."""
    async with (
        Batcher[Any, Any]("vad", _NullEngine(_vad), gather_seconds=GATHER_SECONDS) as vad,
        Batcher[Any, Any]("stt", _NullEngine(_stt)) as stt,
        Batcher[Any, Any]("llm", _NullEngine(_llm)) as llm,
        Batcher[Any, Any]("tts", _NullEngine(_tts())) as tts,
    ):
        yield Engines(vad, stt, llm, tts)
