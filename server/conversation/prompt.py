"""What the model is asked: the one place where a prompt is made.

A prefill and the answer that it is for are made here alike, so that the one begins the other and
the model's memory of it can be used.
"""

from engines.llm import ChatRequest, Message, Tool
from server.conversation.context import Conversation
from server.conversation.history import append_text
from server.language.languages import language_name
from server.settings import Settings


def chat_request(
    conversation: Conversation,
    settings: Settings,
    language: str,
    *,
    said: str = "",
    without: str | None = None,
) -> ChatRequest:
    """Answer in `language` to the history and then to what the caller has `said`.

    `without`: an item of the history that is left out, since it is being said.
    """
    history = conversation.history.messages(conversation.config.history_turns, without=without)
    messages = [Message(role="system", content=_instructions(settings, language)), *history]
    if said:
        append_text(messages, "user", said)
    return ChatRequest(
        session=conversation.session_id,
        messages=tuple(messages),
        tools=_tools(settings),
        max_tokens=settings.max_output_tokens or conversation.config.maximum_answer_tokens,
    )


def _instructions(settings: Settings, language: str) -> str:
    own = (
        f"You are Tinig, a voice assistant on the phone. Answer in {language_name(language)} in "
        "one or two short sentences."
    )
    return f"{own}\n{settings.instructions}" if settings.instructions else own


def _tools(settings: Settings) -> tuple[Tool, ...]:
    if settings.tool_choice == "none":
        return ()
    return tuple(Tool(tool.name, tool.description, tool.parameters) for tool in settings.tools)
