"""The committed starter LLM in the real engine: a short conversation in every language."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from engines.config import STARTER
from engines.llm import ChatRequest, LlmConfig, LlmEngine, Message, Tool
from tests.tiny_llm import Answer, LlmBatcher, ask

PROMPT = (
    "You are Tinig, a voice assistant on the phone. "
    "Answer in {language} in one or two short sentences."
)

# In each language: what the caller says, and a word that the answer must hold.
CONVERSATIONS = {
    "English": [
        ("What is the capital of France?", "Paris"),
        ("My name is Ana.", "Ana"),
        ("What day comes after Monday?", "Tuesday"),
        ("What is my name?", "Ana"),
        ("Who won the football game last night?", "small starter model"),
    ],
    "Spanish": [
        ("¿Cuál es la capital de Italia?", "Roma"),
        ("Me llamo Ana.", "Ana"),
        ("¿Cómo me llamo?", "Ana"),
    ],
    "French": [
        ("Quelle est la capitale de l'Espagne ?", "Madrid"),
        ("Je m'appelle Ana.", "Ana"),
        ("Quel est mon nom ?", "Ana"),
    ],
    "Hindi": [
        ("जापान की राजधानी क्या है?", "टोक्यो"),
        ("मेरा नाम आना है।", "आना"),
        ("मेरा नाम क्या है?", "आना"),
    ],
    "Tagalog": [
        ("Ano po ang kabisera ng Pransya?", "Paris"),
        ("Ang pangalan ko po ay Ana.", "Ana"),
        ("Ano po ang pangalan ko?", "Ana"),
    ],
}

BOOK = Tool(
    "book_appointment",
    "Books an appointment at the clinic.",
    {
        "type": "object",
        "properties": {
            "day": {"type": "string"},
            "hour": {"type": "integer"},
            "service": {"type": "string"},
        },
    },
)


@dataclass
class Talk:
    """One session and its history."""

    batcher: LlmBatcher
    session: str
    messages: list[Message] = field(default_factory=list)

    async def say(self, text: str, tools: tuple[Tool, ...] = ()) -> Answer:
        return await self.add(Message("user", text), tools)

    async def add(self, message: Message, tools: tuple[Tool, ...] = ()) -> Answer:
        self.messages.append(message)
        answer = await ask(
            self.batcher, ChatRequest(self.session, tuple(self.messages), tools, max_tokens=120)
        )
        self.messages.append(Message("assistant", answer.text, tuple(answer.calls)))
        return answer


@pytest.fixture
async def batcher() -> AsyncIterator[LlmBatcher]:
    engine = LlmEngine(LlmConfig(model=str(STARTER / "llm" / "starter.gguf")))
    async with LlmBatcher("llm", engine) as batcher:
        yield batcher


def in_language(batcher: LlmBatcher, language: str) -> Talk:
    return Talk(batcher, language, [Message("system", PROMPT.format(language=language))])


@pytest.mark.parametrize("language", CONVERSATIONS)
async def test_it_holds_a_conversation(batcher: LlmBatcher, language: str) -> None:
    talk = in_language(batcher, language)
    known = 0
    for text, word in CONVERSATIONS[language]:
        answer = await talk.say(text)
        assert word in answer.text
        assert answer.completion.reason == "stop"
        assert answer.completion.reused_tokens >= known, "only what is new is decoded"
        known = answer.completion.prompt_tokens + answer.completion.generated_tokens


async def test_it_books_with_the_tool_and_speaks_the_result(batcher: LlmBatcher) -> None:
    talk = in_language(batcher, "English")
    asked = await talk.say("Book the dentist for Monday at ten.", (BOOK,))
    (call,) = asked.calls
    assert asked.completion.reason == "tool_calls"
    assert asked.text.strip() == ""
    assert call.name == "book_appointment"
    assert json.loads(call.arguments) == {"day": "Monday", "hour": 10, "service": "dentist"}
    result = Message("tool", '{"status": "confirmed"}', tool_call_id=call.id)
    told = await talk.add(result, (BOOK,))
    assert told.completion.reason == "stop"
    assert "Monday at ten" in told.text
