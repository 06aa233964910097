"""The jobs in hand: what each has decoded, what it has yet to, and how it ends."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from engines.batcher import Job, Priority
from engines.llm.answer import AnswerStream
from engines.llm.context import Sampler
from engines.llm.kv_cache import KvSequence
from engines.llm.prompt import Memory, Prompt
from engines.llm.requests import ChatOutput, ChatRequest, Completion, LlmRequest

LlmJob: TypeAlias = Job[LlmRequest, ChatOutput]


@dataclass(eq=False, slots=True)
class ChatWork:
    """A job that holds a sequence."""

    job: LlmJob
    request: ChatRequest
    prompt: Prompt
    sequence: KvSequence
    pending: list[int]  # tokens to decode: the rest of the prompt, then each token generated
    answer: AnswerStream
    sampler: Sampler
    reused_tokens: int

    @property
    def offline(self) -> bool:
        """Nobody waits for it in real time."""
        return self.job.priority is Priority.OFFLINE

    @property
    def decoding(self) -> bool:
        """The prompt is done, and the answer in the making."""
        return self.answer.count > 0

    @property
    def overtaken(self) -> bool:
        """A prefill whose session has a newer request."""
        return not self.request.generate and self.sequence.session is None

    @property
    def memory(self) -> Memory:
        return self.prompt.then(self.answer.span)

    def finish(self, reason: Literal["stop", "length", "ready", "skipped"]) -> None:
        for output in self.answer.close():
            self.job.emit(output)
        self.job.emit(
            Completion(
                "tool_calls" if self.answer.called_tools else reason,
                prompt_tokens=len(self.prompt.tokens),
                reused_tokens=self.reused_tokens,
                generated_tokens=self.answer.count,
            )
        )
        self.job.finish()


@dataclass(frozen=True, slots=True)
class Share:
    """A chat's part of one batch."""

    chat: ChatWork
    count: int  # of its pending tokens
    output: int | None  # index of the logits in the batch, if its next token can be sampled


def end_without_decoding(job: LlmJob) -> bool:
    """End a job that has nothing to decode. False if it has."""
    if isinstance(job.state, Completion):
        job.emit(job.state)
        job.finish()
    elif job.state.overtaken:
        job.state.finish("skipped")
    elif not job.state.pending:
        job.state.finish("ready")
    return job.finished
