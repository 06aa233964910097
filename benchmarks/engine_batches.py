"""Each engine with many requests at once, beside the same requests one after the other.

Both in one run, in turns, so that the ratio holds on a machine with other work.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from benchmarks.utterances import utterances
from engines.batcher import Batcher
from engines.config import LlmConfig, SttConfig, TtsConfig, VadConfig
from engines.host import Engines, running_engines
from engines.llm import ChatRequest, Forget, Message
from engines.stt import SttRequest
from engines.tts import SpeechRequest
from engines.vad import WINDOW_SAMPLES, VadRequest
from evaluation.caller import RATE_HZ
from evaluation.report.model import Lines, Plot
from evaluation.tables import markdown
from scripts.train_starter.domain import LANGUAGES
from server.audio import samples_from_int16
from server.resampling import resample

SIZES = (1, 4, 16, 32)
_TIMES = 5
_ANSWER_TOKENS = 32
_STT_HZ = 16_000


@dataclass(frozen=True, slots=True)
class Batched:
    """One engine at one size. Milliseconds, medians."""

    engine: str
    size: int
    together_ms: float  # until the last of them was done
    alone_ms: float  # all of them, one after the other

    @property
    def ratio(self) -> float:
        """How many times sooner all are done together."""
        return self.alone_ms / self.together_ms


async def measure(
    sizes: Sequence[int] = SIZES,
    *,
    stt: SttConfig | None = None,
    llm: LlmConfig | None = None,
    tts: TtsConfig | None = None,
    on_engine: Callable[[str], None] = lambda name: None,
) -> list[Batched]:
    """Every engine at every size, on the starter models where no other is named."""
    most = max(sizes)
    configs = (stt or SttConfig(max_batch=most), llm or LlmConfig(sequences=most))
    async with running_engines(
        VadConfig(), *configs, tts or TtsConfig(), on_death=_raise
    ) as engines:
        rows: list[Batched] = []
        for name, requests in _requests(most).items():
            on_engine(name)
            rows += [await _batched(engines, name, requests[:size]) for size in sizes]
        return rows


def table(rows: Sequence[Batched]) -> str:
    """Markdown: a row an engine and size."""
    cells = [
        [
            one.engine,
            str(one.size),
            f"{one.together_ms:.1f}",
            f"{one.alone_ms:.1f}",
            f"{one.ratio:.1f}",
        ]
        for one in rows
    ]
    head = ["engine", "requests", "together, ms", "one by one, ms", "times sooner"]
    return markdown(head, cells)


def plots(rows: Sequence[Batched]) -> dict[str, Plot]:
    """How many times sooner all are done together, by engine."""
    series: dict[str, list[tuple[float, float]]] = {}
    for one in rows:
        series.setdefault(one.engine[:3], []).append((one.size, one.ratio))
    return {"batches": Lines("Batches", "requests at once", "times sooner", series)}


def _raise(error: BaseException) -> None:
    raise error


def _requests(most: int) -> dict[str, list[Any]]:
    """As many different requests of each engine."""
    spoken = [one for group in utterances(each=max(1, most // 5 + 1)).values() for one in group]
    heard = [resample(samples_from_int16(one.samples), RATE_HZ, _STT_HZ) for one in spoken]
    noise = np.random.default_rng(0).normal(0, 0.1, (most, WINDOW_SAMPLES)).astype(np.float32)
    return {
        "VAD, a window": [VadRequest(window, None) for window in noise],
        "STT, a sentence": [SttRequest(samples, LANGUAGES) for samples in heard[:most]],
        "LLM, an answer": [_chat(number, one.text) for number, one in enumerate(spoken[:most])],
        "TTS, a sentence": [SpeechRequest(one.text, one.language) for one in spoken[:most]],
    }


def _chat(number: int, text: str) -> ChatRequest:
    messages = (Message("system", "You are Tinig, a voice assistant."), Message("user", text))
    return ChatRequest(f"call {number}", messages, max_tokens=_ANSWER_TOKENS)


async def _batched(engines: Engines, name: str, requests: Sequence[Any]) -> Batched:
    batcher: Batcher[Any, Any] = getattr(engines, name[:3].lower())
    together, alone = [], []
    await _together(batcher, requests)  # warm
    for _ in range(_TIMES):
        await _forget(engines, requests)
        started = time.perf_counter()
        await _together(batcher, requests)
        together.append(time.perf_counter() - started)
        await _forget(engines, requests)
        started = time.perf_counter()
        for request in requests:
            await _drain(batcher, request)
        alone.append(time.perf_counter() - started)
    return Batched(name, len(requests), 1000 * median(together), 1000 * median(alone))


async def _together(batcher: Batcher[Any, Any], requests: Sequence[Any]) -> None:
    async with asyncio.TaskGroup() as group:
        for request in requests:
            group.create_task(_drain(batcher, request))


async def _drain(batcher: Batcher[Any, Any], request: Any) -> None:
    async with batcher.submit(request) as job:
        async for _ in job:
            pass


async def _forget(engines: Engines, requests: Sequence[Any]) -> None:
    """No answer finds its prompt in the cache."""
    for request in requests:
        if isinstance(request, ChatRequest):
            await _drain(engines.llm, Forget(request.session))
