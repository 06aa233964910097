"""What the language model can be asked, and what it answers."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from engines.llm.chat import Message, Tool, ToolCall, ToolCallDelta


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One answer of the assistant, or with `generate=False` only the prefill of its prompt, which
    may end in the middle of a user message. The whole chat is given each time."""

    session: str
    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    max_tokens: int = 256  # of the answer, which ends before them where there is no room
    temperature: float = 0.0  # 0: always the likeliest token
    top_k: int = 40
    top_p: float = 0.95
    seed: int = 0
    stop: tuple[str, ...] = ()
    generate: bool = True


@dataclass(frozen=True, slots=True)
class Forget:
    """Free the KV cache of a session that has ended."""

    session: str


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next piece of an answer's text."""

    text: str


@dataclass(frozen=True, slots=True)
class Completion:
    """The last output of every job.

    "length": the answer is as long as was allowed, or as there was room for. "ready": a prefill or
    a `Forget` is done. "skipped": a prefill was not, because there was no room without evicting
    another session, or because a newer request of its session overtook it.
    """

    reason: Literal["stop", "length", "tool_calls", "ready", "skipped"]
    prompt_tokens: int = 0
    reused_tokens: int = 0  # of the prompt, already in the cache
    generated_tokens: int = 0


LlmRequest: TypeAlias = ChatRequest | Forget
ChatOutput: TypeAlias = TextDelta | ToolCallDelta | ToolCall | Completion
