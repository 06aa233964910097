"""Scripted engines for timing tests: no thread, no model, every delay a timer of the event loop.

They have the face of a `Batcher`. What they say is scripted; what they were asked is kept.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Self, cast

import numpy as np

from engines.batcher import Priority
from engines.errors import EngineError
from engines.host import Engines
from engines.llm import ChatRequest, Completion, Forget, TextDelta, ToolCall, ToolCallDelta
from engines.loaded import LoadedModel
from engines.stt import SttRequest, Transcript
from engines.tts import SpeechChunk, SpeechRequest
from engines.vad import WINDOW_SAMPLES, VadRequest, VadResult, VadState

Script = Callable[[Any], Sequence[tuple[float, Any]]]  # request -> (delay seconds, output) pairs


@dataclass
class FakeJob:
    """One request and what comes of it."""

    request: Any
    priority: Priority
    outputs: Sequence[tuple[float, Any]]
    ended: bool = False  # read to its end, or left
    has_more: bool = False  # its outputs come one by one

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.ended = True

    async def __aiter__(self) -> AsyncIterator[Any]:
        for delay_seconds, output in self.outputs:
            if delay_seconds:
                await asyncio.sleep(delay_seconds)
            if isinstance(output, Exception):
                raise output
            yield output


@dataclass
class FakeBatcher:
    """Answers every request as its script says."""

    name: str
    script: Script
    jobs: list[FakeJob] = field(default_factory=list)
    failure: BaseException | None = None

    def submit(self, request: Any, *, priority: Priority = Priority.ANSWER) -> FakeJob:
        """A job whose outputs come after their delays."""
        job = FakeJob(request, priority, self.script(request))
        if self.name != "vad":  # of thousands of windows in a test
            self.jobs.append(job)
        return job

    def post(self, request: Any, *, priority: Priority = Priority.ANSWER) -> None:
        """A job that nobody reads."""
        self.submit(request, priority=priority).ended = True

    async def run(self, request: Any, *, priority: Priority = Priority.ANSWER) -> Any:
        """The only output of a request."""
        async with self.submit(request, priority=priority) as job:
            async for output in job:
                return output
        raise EngineError(f"{self.name} ended a job without an answer.")

    @property
    def pending(self) -> int:
        """How many jobs are not over."""
        return len(self.open_jobs)

    @property
    def batch_sizes(self) -> dict[int, int]:
        """It has no steps."""
        return {}

    @property
    def open_jobs(self) -> list[FakeJob]:
        """Jobs that were neither read to their end nor left."""
        return [job for job in self.jobs if not job.ended]


def transcript(
    text: str, language: str = "en", confidence: float = 0.95, languages: tuple[str, ...] = ("en",)
) -> Transcript:
    """A transcript of this text."""
    probabilities = {code: (0.9 if code == language else 0.02) for code in languages}
    return Transcript(text, language, probabilities, confidence, 0.01, None, 1.0)


@dataclass
class Stage:
    """The four fakes and their settings; change them in a test as the play demands."""

    heard: str | Callable[[SttRequest], str] = "What is the capital of France?"
    answer: Sequence[str] = ("The capital", " of France", " is Paris.")
    vad_seconds: float = 0.0  # for a window
    stt_seconds: float = 0.05
    token_seconds: float = 0.02
    prefill_seconds: float = 0.02
    tts_seconds: float = 0.02
    speech_seconds_per_character: float = 0.06
    confidence: float = 0.95
    rejected_by: str | None = None  # the guard that emptied the transcript
    language: str | Callable[[SttRequest], str] = "en"  # guessed, where the request names none
    stt_error: Exception | None = None
    llm_error: Exception | None = None
    tts_error: Exception | None = None
    tool_call: ToolCall | None = None
    turn_end: FakeBatcher | None = None  # where the owner has a model for it
    failures: dict[str, str] = field(default_factory=dict)  # engines that have died, and of what
    loaded: tuple[LoadedModel, ...] = ()

    def __post_init__(self) -> None:
        self.vad = FakeBatcher("vad", self._vad)
        self.stt = FakeBatcher("stt", self._stt)
        self.llm = FakeBatcher("llm", self._llm)
        self.tts = FakeBatcher("tts", self._tts)
        self.nmt: FakeBatcher | None = None  # a translation model, if a test names one
        self.reasons = True
        self.for_the_ear = True
        self.languages = ("en", "es", "fr", "hi", "tl")

    @property
    def engines(self) -> Engines:
        """As the server sees them."""
        return cast(Engines, self)

    @property
    def open_jobs(self) -> list[FakeJob]:
        """What is not over yet, in any engine."""
        batchers = (self.vad, self.stt, self.llm, self.tts)
        return [job for batcher in batchers for job in batcher.open_jobs]

    @property
    def prompts(self) -> list[ChatRequest]:
        """What the model was asked."""
        return [request for request in self._chats if request.generate]

    @property
    def prefills(self) -> list[ChatRequest]:
        """What the model only had to read."""
        return [request for request in self._chats if not request.generate]

    @property
    def _chats(self) -> list[ChatRequest]:
        return [job.request for job in self.llm.jobs if isinstance(job.request, ChatRequest)]

    def _vad(self, request: VadRequest) -> Sequence[tuple[float, Any]]:
        state = request.state or cast(VadState, object())
        windows = request.samples.reshape(-1, WINDOW_SAMPLES)
        sounds = [np.abs(window).max() > 0.1 for window in windows]
        return [(self.vad_seconds, VadResult(0.95 if sound else 0.02, state)) for sound in sounds]

    def _stt(self, request: SttRequest) -> Sequence[tuple[float, Any]]:
        heard = self.heard if isinstance(self.heard, str) else self.heard(request)
        result = self.stt_error or self._transcript(request, heard)
        return [(self.stt_seconds, result)]

    def _transcript(self, request: SttRequest, heard: str) -> Transcript:
        guess = self.language if isinstance(self.language, str) else self.language(request)
        result = transcript(heard, guess, self.confidence, request.languages)
        language = request.language or guess
        return replace(result, language=language, rejected_by=self.rejected_by)

    def _llm(self, request: ChatRequest | Forget) -> Sequence[tuple[float, Any]]:
        if isinstance(request, Forget):
            return []
        if self.llm_error:
            return [(self.token_seconds, self.llm_error)]
        if not request.generate:
            return [(self.prefill_seconds, Completion("ready", 10))]
        if self.tool_call:
            call, done = self.tool_call, Completion("tool_calls", 10, 0, 5)
            pieces = re.findall(".{1,5}", call.arguments)
            deltas = [ToolCallDelta(call.id, call.name, piece) for piece in pieces]
            written = [(self.token_seconds, delta) for delta in deltas]
            return [*written, (0.0, call), (0.0, done)]
        words = [(self.token_seconds, TextDelta(text)) for text in self.answer]
        return [*words, (0.0, Completion("stop", 10, 0, len(words)))]

    def _tts(self, request: SpeechRequest) -> Sequence[tuple[float, Any]]:
        if self.tts_error:
            return [(self.tts_seconds, self.tts_error)]
        total = int(24_000 * self.speech_seconds_per_character * len(request.text))
        samples = np.full(total, 8000, dtype=np.int16)
        pieces = np.array_split(samples, max(1, total // 2400))
        return [(self.tts_seconds, SpeechChunk(piece, 24_000)) for piece in pieces]
