"""`/v1/chat/completions`: the language model without a voice."""

import secrets
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, cast

from aiohttp import web

from engines.errors import ProtocolError
from engines.host import Engines
from engines.llm import (
    ChatOutput,
    ChatRequest,
    Completion,
    Message,
    TextDelta,
    Tool,
    ToolCall,
)
from engines.llm import ToolCallDelta as CallDelta
from server.config import RestConfig
from server.forget import forget
from server.ids import new_id
from server.rest import bodies, schema
from server.rest.chat_schema import (
    CalledFunction,
    ChatCompletion,
    ChatCompletionChunk,
    ChatMessage,
    ChatToolCall,
    Choice,
    ChunkChoice,
    CompletionMessage,
    CompletionUsage,
    CreateChatCompletionRequest,
    Delta,
    FinishReason,
    FunctionDelta,
    PromptTokensDetails,
    ToolCallDelta,
)
from server.rest.models import ALL_IN_ONE
from server.rest.operation import Operation
from server.rest.streams import DONE, send_events

_USUAL_TOP_P = 0.95


class Chat:
    """The handlers."""

    def __init__(self, config: RestConfig, engines: Engines) -> None:
        self._config = config
        self._engines = engines

    def operations(self) -> list[Operation]:
        """What can be asked."""
        return [
            Operation(
                "POST",
                "/v1/chat/completions",
                self.complete,
                "What the language model says next in a chat.",
                {"application/json": ChatCompletion, "text/event-stream": None},
                body=CreateChatCompletionRequest,
            )
        ]

    async def complete(self, request: web.Request) -> web.StreamResponse:
        """The answer, whole or in chunks."""
        wanted = await bodies.read_json(request, CreateChatCompletionRequest, self._config)
        answer = _Answer(new_id("chatcmpl"))
        outputs = self._outputs(_chat_request(wanted, answer.id, self._config))
        if wanted.stream:
            with_usage = bool(wanted.stream_options and wanted.stream_options.include_usage)
            chunks = _chunks(answer, outputs, with_usage=with_usage)
            return await send_events(request, self._config, chunks, last=DONE)
        async with aclosing(outputs):
            async for output in outputs:
                answer.take(output)
        return web.json_response(schema.to_json(answer.whole()))

    async def _outputs(self, request: ChatRequest) -> AsyncGenerator[ChatOutput, None]:
        """What the model says. Its memory of this chat is given back afterwards."""
        try:
            async with self._engines.llm.submit(request) as job:
                async for output in job:
                    yield output
        finally:
            forget(self._engines, request.session)


@dataclass(slots=True)
class _Answer:
    """An answer in the making."""

    id: str
    created: int = field(default_factory=lambda: int(time.time()))
    texts: list[str] = field(default_factory=list)
    calls: list[ChatToolCall] = field(default_factory=list)
    completion: Completion = field(default_factory=lambda: Completion("stop"))

    def take(self, output: ChatOutput) -> None:
        """The next output of the model."""
        match output:
            case TextDelta(text=text):
                self.texts.append(text)
            case ToolCall(id=call_id, name=name, arguments=arguments):
                function = CalledFunction(name, arguments)
                self.calls.append(ChatToolCall(call_id, "function", function))
            case Completion():
                self.completion = output

    @property
    def finish_reason(self) -> FinishReason:
        """Why it ended."""
        return cast(FinishReason, self.completion.reason)

    @property
    def usage(self) -> CompletionUsage:
        """What it cost."""
        done = self.completion
        return CompletionUsage(
            prompt_tokens=done.prompt_tokens,
            completion_tokens=done.generated_tokens,
            total_tokens=done.prompt_tokens + done.generated_tokens,
            prompt_tokens_details=PromptTokensDetails(done.reused_tokens),
        )

    def whole(self) -> ChatCompletion:
        """All of it."""
        message = CompletionMessage(
            "assistant",
            "".join(self.texts) or None,
            tool_calls=tuple(self.calls) or None,
        )
        choice = Choice(0, message, None, self.finish_reason)
        return ChatCompletion(
            self.id, "chat.completion", self.created, ALL_IN_ONE, (choice,), self.usage
        )

    def chunk(self, delta: Delta, finish_reason: FinishReason | None = None) -> dict[str, Any]:
        """One event."""
        return self._chunk(ChunkChoice(0, delta, None, finish_reason))

    def usage_chunk(self) -> dict[str, Any]:
        """The event that counts the tokens."""
        return self._chunk(usage=self.usage)

    def _chunk(self, *choices: ChunkChoice, usage: CompletionUsage | None = None) -> dict[str, Any]:
        chunk = ChatCompletionChunk(
            self.id, "chat.completion.chunk", self.created, ALL_IN_ONE, choices, usage
        )
        return cast(dict[str, Any], schema.to_json(chunk))


async def _chunks(
    answer: _Answer, outputs: AsyncGenerator[ChatOutput, None], *, with_usage: bool
) -> AsyncGenerator[dict[str, Any], None]:
    has_begun, called_id = False, ""
    async with aclosing(outputs):
        async for output in outputs:
            if not has_begun:
                has_begun = True
                yield answer.chunk(Delta(role="assistant", content=""))
            answer.take(output)
            if isinstance(output, TextDelta):
                yield answer.chunk(Delta(content=output.text))
            elif isinstance(output, CallDelta):
                yield answer.chunk(_call_delta(answer, output, called_id))
                called_id = output.id
    yield answer.chunk(Delta(), answer.finish_reason)
    if with_usage:
        yield answer.usage_chunk()


def _call_delta(answer: _Answer, part: CallDelta, called_id: str) -> Delta:
    """`called_id`: the call that the last part belonged to."""
    index = len(answer.calls)
    if part.id == called_id:
        return Delta(tool_calls=(ToolCallDelta(index, FunctionDelta(part.arguments)),))
    first = FunctionDelta(part.arguments, part.name)
    return Delta(tool_calls=(ToolCallDelta(index, first, part.id, "function"),))


def _chat_request(
    wanted: CreateChatCompletionRequest, session: str, config: RestConfig
) -> ChatRequest:
    stop = (wanted.stop,) if isinstance(wanted.stop, str) else wanted.stop or ()
    tools = () if wanted.tool_choice == "none" else wanted.tools or ()
    longest = wanted.max_completion_tokens or wanted.max_tokens
    return ChatRequest(
        session=session,
        messages=tuple(_message(message, n) for n, message in enumerate(wanted.messages)),
        tools=tuple(
            Tool(
                tool.function.name,
                tool.function.description or "",
                tool.function.parameters or {"type": "object", "properties": {}},
            )
            for tool in tools
        ),
        max_tokens=longest or config.max_completion_tokens,
        temperature=wanted.temperature or 0.0,
        top_p=_USUAL_TOP_P if wanted.top_p is None else wanted.top_p,
        seed=secrets.randbits(32) if wanted.seed is None else wanted.seed,
        stop=stop,
    )


def _message(message: ChatMessage, index: int) -> Message:
    if message.role == "tool" and not message.tool_call_id:
        raise ProtocolError(
            "A tool's message needs the 'tool_call_id' that it answers.",
            code="missing_required_parameter",
            param=f"messages[{index}].tool_call_id",
        )
    calls = tuple(
        ToolCall(call.id, call.function.name, call.function.arguments)
        for call in message.tool_calls or ()
    )
    role = "system" if message.role == "developer" else message.role
    return Message(role, _text(message), calls, message.tool_call_id or "")


def _text(message: ChatMessage) -> str:
    if isinstance(message.content, tuple):
        return "\n".join(part.text for part in message.content)
    return message.content or ""
