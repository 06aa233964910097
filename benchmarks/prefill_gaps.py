"""What a long prompt costs the answers that are being made beside it, by the size of its chunks.

Some chats answer all the time. Into that comes a prompt that nobody has read before. Small chunks
keep the others' tokens close together, large ones give the newcomer its first token sooner.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from benchmarks.results import percentiles
from engines.batcher import Batcher
from engines.config import LlmConfig
from engines.llm import ChatRequest, Forget, LlmEngine, Message, TextDelta
from evaluation.report.model import Lines, Plot
from evaluation.tables import markdown

CHUNKS = (16, 32, 64, 128, 256)
_ANSWERING = 4  # chats
_TIMES = 5
_SYSTEM = Message("system", "You are Tinig, a voice assistant.")
_QUESTION = "What is the capital of France, and what is the capital of Spain?"
_LONG = 12  # turns of history, some 600 tokens for the starter model


@dataclass(frozen=True, slots=True)
class Chunked:
    """Milliseconds at one size of chunks."""

    chunk_tokens: int
    prompt_tokens: int
    first_token_ms: float  # of the long prompt, median
    gap_p50_ms: float  # between the others' tokens while the prompt was read
    gap_p95_ms: float
    gap_most_ms: float


async def measure(
    chunks: Sequence[int] = CHUNKS, config: LlmConfig | None = None, times: int = _TIMES
) -> list[Chunked]:
    """Every size of chunks, `times` prompts each; the starter model where no other is named."""
    base = replace(config or LlmConfig(), sequences=_ANSWERING + 1, context_tokens=8192)
    return [
        await _chunked(replace(base, prefill_chunk_tokens=size), times=times) for size in chunks
    ]


def table(rows: Sequence[Chunked]) -> str:
    """Markdown: a row a size."""
    head = [
        "tokens a chunk",
        "prompt, tokens",
        "its first token, ms",
        "others' gaps, P50 / P95 / most, ms",
    ]
    cells = [
        [
            str(one.chunk_tokens),
            str(one.prompt_tokens),
            f"{one.first_token_ms:.0f}",
            f"{one.gap_p50_ms:.1f} / {one.gap_p95_ms:.1f} / {one.gap_most_ms:.1f}",
        ]
        for one in rows
    ]
    return markdown(head, cells)


def plots(rows: Sequence[Chunked]) -> dict[str, Plot]:
    """The newcomer's first token and the others' gaps."""
    series = {
        "first token of the long prompt": [(one.chunk_tokens, one.first_token_ms) for one in rows],
        "gaps of the others, P95": [(one.chunk_tokens, one.gap_p95_ms) for one in rows],
    }
    return {"chunks": Lines("Chunks of a prompt", "tokens a chunk", "ms", series)}


async def _chunked(config: LlmConfig, *, times: int) -> Chunked:
    async with Batcher[Any, Any]("llm", LlmEngine(config)) as llm:
        first_ms, gaps_ms, tokens = [], [], 0
        for number in range(times):
            others = [_Answering() for _ in range(_ANSWERING)]
            async with asyncio.TaskGroup() as group:
                talk = [group.create_task(one.talk(llm, n)) for n, one in enumerate(others)]
                await asyncio.gather(*(one.has_begun.wait() for one in others))
                began = time.perf_counter()
                tokens = await _first_token(llm, number)
                ended = time.perf_counter()
                for task in talk:
                    task.cancel()
            first_ms.append(1000 * (ended - began))
            gaps_ms += [gap for one in others for gap in one.gaps_ms(began, ended)]
    first, gaps = percentiles(first_ms), percentiles(gaps_ms)
    assert first is not None
    assert gaps is not None, "no token came while the prompt was read"
    return Chunked(
        config.prefill_chunk_tokens, tokens, first.p50, gaps.p50, gaps.p95, round(max(gaps_ms), 1)
    )


class _Answering:
    """A chat that answers one question after the other, and when each of its tokens came."""

    def __init__(self) -> None:
        self.has_begun = asyncio.Event()
        self._answers: list[list[float]] = []

    async def talk(self, llm: Batcher[Any, Any], number: int) -> None:
        """Until cancelled."""
        messages = (_SYSTEM, Message("user", _QUESTION))
        while True:
            request = ChatRequest(f"other {number}", messages, max_tokens=64, temperature=0.7)
            self._answers.append([])
            async with llm.submit(request) as job:
                async for output in job:
                    if isinstance(output, TextDelta):
                        self._answers[-1].append(time.perf_counter())
                        self.has_begun.set()

    def gaps_ms(self, began: float, ended: float) -> list[float]:
        """Between tokens of an answer that came in this time, or right before and after it."""
        pairs = (pair for times in self._answers for pair in pairwise(times))
        return [1000 * (late - early) for early, late in pairs if late > began and early < ended]


async def _first_token(llm: Batcher[Any, Any], number: int) -> int:
    """Have a prompt read that nobody knows, up to its first token. Returns its length."""
    turns = [
        message
        for turn in range(_LONG)
        for message in (
            Message("user", f"Number {number}, question {turn}: {_QUESTION}"),
            Message("assistant", "The capital of France is Paris, that of Spain is Madrid."),
        )
    ]
    messages = (
        replace(_SYSTEM, content=f"{number}. {_SYSTEM.content}"),
        *turns,
        Message("user", _QUESTION),
    )
    length = 0
    async with llm.submit(ChatRequest("newcomer", messages, max_tokens=1)) as job:
        async for output in job:
            length = getattr(output, "prompt_tokens", length)
    async with llm.submit(Forget("newcomer")) as job:
        async for _ in job:
            pass
    return length
