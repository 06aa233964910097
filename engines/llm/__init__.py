"""The language model: llama.cpp, continuously batched over many chats."""

from engines.config import LlmConfig
from engines.llm.chat import Message, Tool, ToolCall, ToolCallDelta
from engines.llm.engine import LlmEngine
from engines.llm.requests import (
    ChatOutput,
    ChatRequest,
    Completion,
    Forget,
    LlmRequest,
    TextDelta,
)

__all__ = [
    "ChatOutput",
    "ChatRequest",
    "Completion",
    "Forget",
    "LlmConfig",
    "LlmEngine",
    "LlmRequest",
    "Message",
    "TextDelta",
    "Tool",
    "ToolCall",
    "ToolCallDelta",
]
