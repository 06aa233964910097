"""Tiny GGUF models, written on the spot, and short ways to ask them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf

from benchmarks.random_models import random_weights
from engines.batcher import Batcher, Job, Priority
from engines.llm import (
    ChatOutput,
    ChatRequest,
    Completion,
    Forget,
    LlmConfig,
    LlmEngine,
    LlmRequest,
    Message,
    TextDelta,
    ToolCall,
)
from scripts.gguf_file import LlamaShape, write_gguf

LlmBatcher = Batcher[LlmRequest, ChatOutput]
LlmJob = Job[LlmRequest, ChatOutput]
MakeEngine = Callable[..., LlmEngine]
Script = Callable[[Sequence[bytes]], LlmEngine]  # pieces that the model says, one token each

SYSTEM = Message("system", "You are Tinig, a voice assistant on the phone.")


@dataclass(frozen=True, slots=True)
class SentencePieces:
    """A vocabulary as Llama 2, Mistral and Gemma have it: bytes, letters, a space before words."""

    space_before_text: bool

    @property
    def tokens(self) -> tuple[str, ...]:
        data = [f"<0x{byte:02X}>" for byte in range(256)]
        letters = [*"abcdefghijklmnopqrstuvwxyz", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ", "▁"]
        return ("<unk>", "<s>", "</s>", *data, *letters, "▁H", "▁He")

    def add_to(self, writer: Any) -> None:
        count = len(self.tokens)
        special = [gguf.TokenType.UNKNOWN, gguf.TokenType.CONTROL, gguf.TokenType.CONTROL]
        types = [*special, *[gguf.TokenType.BYTE] * 256, *[gguf.TokenType.NORMAL] * (count - 259)]
        writer.add_tokenizer_model("llama")
        writer.add_token_list(list(self.tokens))
        writer.add_token_scores([-float(index) for index in range(count)])
        writer.add_token_types(types)
        writer.add_bos_token_id(1)
        writer.add_eos_token_id(2)
        writer.add_unk_token_id(0)
        writer.add_add_bos_token(True)
        writer.add_add_space_prefix(self.space_before_text)


def write_sentencepiece_gguf(path: Path, *, space_before_text: bool) -> None:
    """Write a model of random weights with such a vocabulary, in a template that has a BOS."""
    vocabulary, shape = SentencePieces(space_before_text), LlamaShape(layers=1, width=64)
    weights = random_weights(shape, len(vocabulary.tokens), seed=0)
    template = (
        "{{ bos_token }}{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}"
        "{% if add_generation_prompt %}[assistant]{% endif %}"
    )
    write_gguf(path, shape, vocabulary, weights, chat_template=template)


@dataclass(frozen=True, slots=True)
class Answer:
    """All outputs of one job."""

    outputs: tuple[ChatOutput, ...]

    @property
    def text(self) -> str:
        return "".join(output.text for output in self.outputs if isinstance(output, TextDelta))

    @property
    def calls(self) -> list[ToolCall]:
        return [output for output in self.outputs if isinstance(output, ToolCall)]

    @property
    def completion(self) -> Completion:
        last = self.outputs[-1]
        assert isinstance(last, Completion)
        return last


async def ask(
    batcher: LlmBatcher, request: LlmRequest, *, priority: Priority = Priority.ANSWER
) -> Answer:
    """Run one job to its end."""
    async with batcher.submit(request, priority=priority) as job:
        return Answer(tuple([output async for output in job]))


def user(text: str) -> Message:
    return Message("user", text)


def assistant(text: str) -> Message:
    return Message("assistant", text)


def chat(
    session: str,
    *messages: Message,
    max_tokens: int = 16,
    stop: tuple[str, ...] = (),
    generate: bool = True,
) -> ChatRequest:
    """A request with the system message before `messages`."""
    return ChatRequest(
        session, (SYSTEM, *messages), max_tokens=max_tokens, stop=stop, generate=generate
    )


def config(model: Path, *, sequences: int = 8, context_tokens: int = 2048) -> LlmConfig:
    return LlmConfig(model=str(model), sequences=sequences, context_tokens=context_tokens)


class Steps:
    """Drives an engine by hand, one step at a time, as a batcher would."""

    def __init__(self, engine: LlmEngine) -> None:
        self.engine = engine
        self.running: list[LlmJob] = []
        self._batcher = LlmBatcher("llm", engine)

    def start(
        self, request: LlmRequest, *, priority: Priority = Priority.ANSWER
    ) -> tuple[LlmJob, bool]:
        """A job, and whether there was room for it."""
        job = self.submit(request, priority=priority)
        return job, self.admit(job)

    def submit(self, request: LlmRequest, *, priority: Priority = Priority.ANSWER) -> LlmJob:
        """A job that is not started."""
        return self._batcher.submit(request, priority=priority)

    def admit(self, job: LlmJob) -> bool:
        """Whether there was room for a job."""
        started = self.engine.start(job)
        if started:
            self.running.append(job)
        return started

    def step(self, count: int = 1) -> None:
        for _ in range(count):
            self.engine.step(sorted(self.running))
            self.stop(job for job in self.running if job.finished)

    def stop(self, jobs: Iterable[LlmJob]) -> None:
        for job in list(jobs):
            self.running.remove(job)
            self.engine.stop(job)

    def finish(self) -> None:
        while self.running:
            self.step()
        self.engine.assert_idle()


def outputs_of(job: LlmJob) -> Answer:
    """What a job that was driven by `Steps` has put out."""
    return Answer(tuple(job.emitted))


def answer_alone(engine: LlmEngine, request: ChatRequest) -> Answer:
    """The answer of an engine that knows nothing of the session."""
    steps = Steps(engine)
    steps.start(Forget(request.session))
    job, _ = steps.start(request)
    steps.finish()
    return outputs_of(job)
