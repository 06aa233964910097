"""What the model is asked: the one place where a prompt is made.

A prefill and the answer that it is for are made here alike, so that the one begins the other and
the model's memory of it can be used. Requests of one conversation that begin otherwise (in English,
to translate) have a memory of their own, so that none costs another what it has read.
"""

from dataclasses import dataclass, replace

from engines.llm import ChatRequest, Message, Tool
from server.conversation.context import Conversation
from server.conversation.history import append_text
from server.language.prompts import Prompt, prompt
from server.settings import Settings

ENGLISH = "en"  # that a pivot goes through


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be answered: a chat without the server's own words."""

    session: str
    language: str  # of the answer
    messages: tuple[Message, ...]
    instructions: str = ""  # the owner's or the client's, after the server's own
    tools: tuple[Tool, ...] = ()
    max_tokens: int = 160  # of the answer
    for_the_ear: bool = True  # the model is told that it is heard, not read
    in_latin: bool = False  # letters of the answer, of a language with a script of its own

    @property
    def question(self) -> str:
        """The caller's last words; empty when there are none."""
        return next((m.content for m in reversed(self.messages) if m.role == "user"), "")

    def with_question(self, text: str) -> tuple[Message, ...]:
        """The chat with other last words of the caller."""
        messages = list(self.messages)
        for index in range(len(messages) - 1, -1, -1):
            if messages[index].role == "user":
                messages[index] = replace(messages[index], content=text)
                break
        return tuple(messages)


def asked(
    conversation: Conversation,
    settings: Settings,
    language: str,
    *,
    said: str = "",
    without: str | None = None,
) -> Asked:
    """Answer in `language` to the history and then to what the caller has `said`.

    `without`: an item of the history that is left out, since it is being said.
    """
    messages = conversation.history.messages(conversation.config.history_turns, without=without)
    if said:
        append_text(messages, "user", said)
    return Asked(
        session=conversation.session_id,
        language=language,
        messages=tuple(messages),
        instructions=settings.instructions,
        tools=_tools(settings),
        max_tokens=settings.max_output_tokens or conversation.config.maximum_answer_tokens,
        for_the_ear=conversation.engines.for_the_ear,
    )


def direct_request(asked: Asked) -> ChatRequest:
    """Answer in the caller's language."""
    own = _own(asked, Prompt.DIRECT, asked.language) + _latin(asked)
    return _request(asked, own, asked.messages)


def english_request(asked: Asked, question: str) -> ChatRequest:
    """Answer in English to the question in English."""
    own = _own(asked, Prompt.ENGLISH, ENGLISH)
    request = _request(asked, own, asked.with_question(question))
    return replace(request, session=f"{asked.session}/english")


def notes_request(asked: Asked, max_tokens: int, *, native: bool = False) -> ChatRequest:
    """State facts and reason, in English or in the caller's language, for nobody to hear."""
    which = Prompt.NATIVE_NOTES if native else Prompt.NOTES
    request = _request(asked, prompt(which, asked.language), asked.messages)
    return replace(request, session=f"{asked.session}/notes", tools=(), max_tokens=max_tokens)


def answer_request(asked: Asked, notes: str) -> ChatRequest:
    """Answer in the caller's language by these notes.

    They stand behind the question, so that all before it is read already.
    """
    question = prompt(Prompt.ANSWER, asked.language, question=asked.question, notes=notes)
    own = _own(asked, Prompt.DIRECT, asked.language)
    return _request(asked, own, asked.with_question(question + _latin(asked)))


def translation_request(session: str, text: str, target: str) -> ChatRequest:
    """Translate a text that is spoken."""
    return ChatRequest(
        session=f"{session}/{target}",
        messages=(
            Message("system", prompt(Prompt.TRANSLATOR, target)),
            Message("user", prompt(Prompt.TRANSLATE, target, text=text)),
        ),
        max_tokens=_translated_tokens(text),
    )


def _own(asked: Asked, which: Prompt, spoken: str) -> str:
    """The server's own words before an answer that is `spoken` in a language."""
    added = prompt(Prompt.EAR, spoken) if asked.for_the_ear else ""
    own = prompt(which, asked.language)
    return f"{own}\n{added}" if added else own


def _request(asked: Asked, own: str, messages: tuple[Message, ...]) -> ChatRequest:
    system = f"{own}\n{asked.instructions}" if asked.instructions else own
    return ChatRequest(
        session=asked.session,
        messages=(Message("system", system), *messages),
        tools=asked.tools,
        max_tokens=asked.max_tokens,
    )


def _latin(asked: Asked) -> str:
    added = prompt(Prompt.LATIN, asked.language) if asked.in_latin else ""
    return f"\n{added}" if added else ""


def _translated_tokens(text: str) -> int:
    """More than a translation of the text has, also in a script that tokenizers cut finely."""
    return 32 + len(text)


def _tools(settings: Settings) -> tuple[Tool, ...]:
    """Those that may be called: all, none, or the one that was named."""
    if settings.tool_choice == "none":
        return ()
    return tuple(
        Tool(tool.name, tool.description, tool.parameters)
        for tool in settings.tools
        if settings.forced_tool in (None, tool.name)
    )
