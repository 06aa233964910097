"""How long each stage of an answer takes with so many callers at the same stage at once.

Every engine runs alone, behind its batcher, as in the server.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.results import Percentiles, percentiles, percentiles_of_seconds
from engines.batcher import Batcher, Engine, Priority
from engines.config import LlmConfig, SttConfig, TtsConfig
from engines.llm import ChatRequest, Completion, Forget, LlmEngine, Message, TextDelta
from engines.stt import SttEngine, SttRequest
from engines.tts import SpeechRequest, TtsEngine
from evaluation.report.model import Lines
from evaluation.tables import markdown

_THROUGHPUT = "tokens a second, all calls"
_SPEECH_SECONDS = 3.0
_STT_HZ = 16_000
_CLAUSE = "The eye doctor has time for you this Thursday morning,"
_SYSTEM = "You are Tinig, a voice assistant on the phone. Answer in one or two short sentences. "
_SAID = (
    "Good morning, this is number {number}, and I would like to know when the eye doctor has time "
    "for my daughter. We were there in the spring and she has to come again before the summer. "
)
_ASKED = "Is there anything free on Thursday or on Friday?"

Jobs = Batcher[Any, Any]


@dataclass(frozen=True, slots=True)
class Stage:
    """One figure of one model, with so many callers. ms, but for tokens a second."""

    model: str
    name: str
    calls: int
    found: Percentiles


async def stt(model: str, config: SttConfig, levels: Sequence[int], times: int) -> list[Stage]:
    """The final transcript of three seconds, of every caller at once."""
    request = three_seconds()
    async with _running("stt", SttEngine(config)) as jobs:

        async def transcribe(number: int) -> float:
            ((seconds, _),) = await _timed(jobs, request)
            return seconds

        return [
            Stage(model, "final transcript of 3 s", calls, await _at_once(transcribe, calls, times))
            for calls in levels
        ]


def three_seconds() -> SttRequest:
    """Noise to be transcribed: a model of random weights takes the same time for speech."""
    noise = np.random.default_rng(0).normal(0, 0.1, int(_SPEECH_SECONDS * _STT_HZ))
    return SttRequest(noise.astype(np.float32), ("en", "es", "fr", "hi", "tl"))


async def tts(model: str, config: TtsConfig, levels: Sequence[int], times: int) -> list[Stage]:
    """The first audio of a first clause, of every caller at once."""
    async with _running("tts", TtsEngine(config)) as jobs:

        async def speak(number: int) -> float:
            started = time.perf_counter()
            async with jobs.submit(SpeechRequest(_CLAUSE, "en")) as job:
                async for _ in job:
                    break
            return time.perf_counter() - started

        return [
            Stage(model, "first audio of a clause", calls, await _at_once(speak, calls, times))
            for calls in levels
        ]


async def llm(model: str, config: LlmConfig, levels: Sequence[int], times: int) -> list[Stage]:
    """Prefill, first token, gaps and throughput of every caller at once."""
    stages: list[Stage] = []
    async with _running("llm", LlmEngine(config)) as jobs:
        for calls in levels:
            await _round_of_chats(jobs, calls)  # warms
            rounds = [await _round_of_chats(jobs, calls) for _ in range(times)]
            figures = {
                "prefill of 100 tokens": [one.prefill_ms for each in rounds for one in each],
                "first token": [one.first_ms for each in rounds for one in each],
                "between tokens": [gap for each in rounds for one in each for gap in one.gaps_ms],
                _THROUGHPUT: [_throughput(each) for each in rounds],
            }
            for name, values in figures.items():
                found = percentiles(values)
                assert found is not None
                stages.append(Stage(model, name, calls, found))
    return stages


def table(stages: Sequence[Stage]) -> str:
    """Markdown: a row a figure, a column a number of calls."""
    levels = sorted({stage.calls for stage in stages})
    cells = {(stage.model, stage.name, stage.calls): str(stage.found) for stage in stages}
    names = dict.fromkeys((stage.model, stage.name) for stage in stages)
    rows = [
        [f"{model}: {name}", *(cells.get((model, name, calls), "-") for calls in levels)]
        for model, name in names
    ]
    return markdown(["P50 / P95 ms, calls at once", *map(str, levels)], rows)


def plot(stages: Sequence[Stage]) -> Lines:
    """P50 of every latency by the number of calls."""
    series: dict[str, list[tuple[float, float]]] = {}
    for stage in stages:
        if stage.name != _THROUGHPUT:
            line = series.setdefault(f"{stage.model}: {stage.name}", [])
            line.append((stage.calls, stage.found.p50))
    return Lines("Each stage by callers, P50", "callers at once", "ms", series)


@dataclass(frozen=True, slots=True)
class _Chat:
    """What one caller saw of one answer."""

    prefill_ms: float  # of 100 tokens
    first_ms: float
    gaps_ms: list[float]
    tokens: int


async def _round_of_chats(jobs: Jobs, calls: int) -> list[_Chat]:
    sessions = [f"call {number}" for number in range(calls)]
    prefills = await _gathered(lambda number: _prefill(jobs, sessions[number], number), calls)
    answers = await _gathered(lambda number: _answer(jobs, sessions[number], number), calls)
    for session in sessions:
        await _timed(jobs, Forget(session))
    return [_Chat(prefill, *answer) for prefill, answer in zip(prefills, answers, strict=True)]


async def _prefill(jobs: Jobs, session: str, number: int) -> float:
    """What was said so far, while the caller speaks."""
    request = ChatRequest(session, _messages(number, ""), generate=False)
    ((seconds, completion),) = await _timed(jobs, request, Priority.PARTIAL)
    assert isinstance(completion, Completion)
    assert completion.reason == "ready"
    return 1000 * seconds * 100 / (completion.prompt_tokens - completion.reused_tokens)


async def _answer(jobs: Jobs, session: str, number: int) -> tuple[float, list[float], int]:
    """First token, gaps and number of tokens."""
    outputs = await _timed(jobs, ChatRequest(session, _messages(number, _ASKED)))
    times = [1000 * seconds for seconds, output in outputs if isinstance(output, TextDelta)]
    completion = outputs[-1][1]
    assert isinstance(completion, Completion)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    return times[0], gaps, completion.generated_tokens


def _messages(number: int, asked: str) -> tuple[Message, ...]:
    """A chat of its own from the first word on, so that no call finds another's prompt."""
    said = 3 * _SAID.format(number=number)
    return Message("system", f"{number} {_SYSTEM}"), Message("user", f"{said}{asked}")


def _throughput(chats: Sequence[_Chat]) -> float:
    """Tokens a second of all calls, from the requests to the last token."""
    seconds = max(chat.first_ms + sum(chat.gaps_ms) for chat in chats) / 1000
    return sum(chat.tokens for chat in chats) / seconds


@asynccontextmanager
async def _running(name: str, engine: Engine) -> AsyncIterator[Jobs]:
    async with Batcher[Any, Any](name, engine) as jobs:
        yield jobs


async def _timed(
    jobs: Jobs, request: Any, priority: Priority = Priority.ANSWER
) -> list[tuple[float, Any]]:
    """Every output, and how many seconds after the request it came."""
    started = time.perf_counter()
    async with jobs.submit(request, priority=priority) as job:
        return [(time.perf_counter() - started, output) async for output in job]


async def _at_once(ask: Callable[[int], Awaitable[float]], calls: int, times: int) -> Percentiles:
    """Milliseconds of `times` rounds of `calls` requests at once, after a round that warms."""
    await _gathered(ask, calls)
    rounds = [await _gathered(ask, calls) for _ in range(times)]
    return percentiles_of_seconds(seconds for each in rounds for seconds in each)


async def _gathered(ask: Callable[[int], Awaitable[Any]], calls: int) -> list[Any]:
    return list(await asyncio.gather(*(ask(number) for number in range(calls))))
