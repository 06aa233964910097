"""What `/v1/chat/completions` is asked and answers, as OpenAI names its parts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from engines.config import describe, option

_NO_EFFECT = "Accepted, without effect."
MAXIMUM_COMPLETION_TOKENS = 8192

FinishReason = Literal["stop", "length", "tool_calls"]


@dataclass(frozen=True, slots=True)
class TextPart:
    """A part of a message."""

    type: Literal["text"]
    text: str


@dataclass(frozen=True, slots=True)
class CalledFunction:
    """A function and what it is called with, JSON in a text."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ChatToolCall:
    """The model wants the client to run a function."""

    id: str
    type: Literal["function"]
    function: CalledFunction


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of the chat so far."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | tuple[TextPart, ...] | None = None
    name: str | None = option(None, _NO_EFFECT)
    tool_calls: tuple[ChatToolCall, ...] | None = option(
        None, "Of an assistant's message: what it called."
    )
    tool_call_id: str | None = option(None, "Of a tool's message: the call that it answers.")
    refusal: str | None = option(None, _NO_EFFECT)
    annotations: tuple[Mapping[str, Any], ...] | None = option(None, _NO_EFFECT)
    audio: Mapping[str, Any] | None = option(None, _NO_EFFECT)
    function_call: Mapping[str, Any] | None = option(None, _NO_EFFECT)


@dataclass(frozen=True, slots=True)
class FunctionDefinition:
    """A function that the client offers to run."""

    name: str = field(metadata=describe("Its name.", minimum=1, maximum=64))
    description: str | None = None
    parameters: Mapping[str, Any] | None = option(None, "JSON Schema of its arguments.")
    strict: bool | None = option(None, _NO_EFFECT)


@dataclass(frozen=True, slots=True)
class ChatTool:
    """A tool: always a function."""

    type: Literal["function"]
    function: FunctionDefinition


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """What a stream holds besides the answer."""

    include_usage: bool | None = option(None, "End with a chunk that counts the tokens.")
    include_obfuscation: bool | None = option(None, _NO_EFFECT)


@dataclass(frozen=True, slots=True)
class TextResponseFormat:
    """The only form of an answer."""

    type: Literal["text"]


@dataclass(frozen=True, slots=True)
class CreateChatCompletionRequest:
    """A chat that the model is to go on with."""

    messages: tuple[ChatMessage, ...] = field(
        metadata=describe("The chat so far.", minimum=1, maximum=1000)
    )
    model: str = option("tinig", "Any name: the server has one language model.")
    stream: bool | None = option(None, "Answer with server-sent events.")
    stream_options: StreamOptions | None = None
    max_completion_tokens: int | None = option(
        None, "Longest answer.", minimum=1, maximum=MAXIMUM_COMPLETION_TOKENS
    )
    max_tokens: int | None = option(
        None, "The older name of it.", minimum=1, maximum=MAXIMUM_COMPLETION_TOKENS
    )
    temperature: float | None = option(
        None, "0, the default: always the likeliest token.", minimum=0.0, maximum=2.0
    )
    top_p: float | None = option(
        None,
        "Only the likeliest tokens that together have this probability.",
        minimum=0.0,
        maximum=1.0,
    )
    seed: int | None = option(None, "Makes chance repeatable.")
    stop: str | tuple[str, ...] | None = option(
        None, "Texts that end the answer, which then is without them.", maximum=64
    )
    n: int | None = option(None, "One answer, no more.", minimum=1, maximum=1)
    tools: tuple[ChatTool, ...] | None = option(None, "Functions that may be called.", maximum=128)
    tool_choice: Literal["none", "auto"] | None = option(
        None, "Whether functions may be called. The model cannot be made to call one."
    )
    response_format: TextResponseFormat | None = None
    parallel_tool_calls: bool | None = option(None, _NO_EFFECT)
    presence_penalty: float | None = option(None, _NO_EFFECT)
    frequency_penalty: float | None = option(None, _NO_EFFECT)
    logit_bias: Mapping[str, Any] | None = option(None, _NO_EFFECT)
    metadata: Mapping[str, Any] | None = option(None, _NO_EFFECT)
    modalities: tuple[Literal["text"], ...] | None = None
    prompt_cache_key: str | None = option(None, _NO_EFFECT)
    reasoning_effort: str | None = option(None, _NO_EFFECT)
    safety_identifier: str | None = option(None, _NO_EFFECT)
    service_tier: str | None = option(None, _NO_EFFECT)
    store: bool | None = option(None, _NO_EFFECT)
    user: str | None = option(None, _NO_EFFECT)
    verbosity: str | None = option(None, _NO_EFFECT)


@dataclass(frozen=True, slots=True)
class PromptTokensDetails:
    """Of the prompt's tokens."""

    cached_tokens: int = field(metadata=describe("Those that the model had read before."))


@dataclass(frozen=True, slots=True)
class CompletionUsage:
    """How many tokens were read and written."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptTokensDetails


@dataclass(frozen=True, slots=True)
class CompletionMessage:
    """What the model says."""

    role: Literal["assistant"]
    content: str | None
    refusal: None = None
    tool_calls: tuple[ChatToolCall, ...] | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """The answer."""

    index: int
    message: CompletionMessage
    logprobs: None
    finish_reason: FinishReason


@dataclass(frozen=True, slots=True)
class ChatCompletion:
    """A whole answer."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: tuple[Choice, ...]
    usage: CompletionUsage


@dataclass(frozen=True, slots=True)
class FunctionDelta:
    """The next characters of a call's arguments; the name comes with the first."""

    arguments: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A part of a call; all but its index and arguments comes with the first."""

    index: int
    function: FunctionDelta
    id: str | None = None
    type: Literal["function"] | None = None


@dataclass(frozen=True, slots=True)
class Delta:
    """What comes next."""

    role: Literal["assistant"] | None = None
    content: str | None = None
    tool_calls: tuple[ToolCallDelta, ...] | None = None


@dataclass(frozen=True, slots=True)
class ChunkChoice:
    """A piece of the answer."""

    index: int
    delta: Delta
    logprobs: None
    finish_reason: FinishReason | None


@dataclass(frozen=True, slots=True)
class ChatCompletionChunk:
    """One event of a streamed answer."""

    id: str
    object: Literal["chat.completion.chunk"]
    created: int
    model: str
    choices: tuple[ChunkChoice, ...]
    usage: CompletionUsage | None = None
