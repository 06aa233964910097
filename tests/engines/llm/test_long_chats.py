"""Prompts that do not fit the context."""

from dataclasses import replace

import pytest

from engines.errors import ContextTooLong
from engines.llm import (
    ChatRequest,
    Message,
    Tool,
    ToolCall,
)
from engines.llm.llama import Vocabulary
from tests.tiny_llm import (
    SYSTEM,
    MakeEngine,
    Steps,
    assistant,
    chat,
    outputs_of,
    user,
)


def long_chat(turns: int) -> tuple[ChatRequest, str]:
    messages = [
        message
        for turn in range(turns)
        for message in (user(f"Question {turn}?"), assistant(f"Answer {turn}."))
    ]
    return chat("a", *messages, user("The last one.")), messages[-2].content


def test_the_oldest_turns_are_left_out_when_the_chat_is_too_long(load: MakeEngine) -> None:
    request, _ = long_chat(60)
    steps = Steps(load(context_tokens=512))
    job, _ = steps.start(request)
    text = job.state.prompt.text
    steps.finish()
    assert SYSTEM.content in text
    assert "The last one." in text
    assert "Question 59?" in text
    assert "Question 0?" not in text
    assert outputs_of(job).completion.prompt_tokens <= 512 - 16


def test_the_next_turn_of_a_trimmed_chat_reuses_it(load: MakeEngine) -> None:
    request, _ = long_chat(60)
    steps = Steps(load(context_tokens=512))
    first, _ = steps.start(request)
    steps.finish()
    messages = (*request.messages, assistant("The answer."), user("One more."))
    second, _ = steps.start(ChatRequest("a", messages, max_tokens=16))
    steps.finish()
    assert outputs_of(second).completion.reused_tokens >= (
        outputs_of(first).completion.prompt_tokens
    )


def test_what_is_read_early_leaves_room_for_the_words_to_come(load: MakeEngine) -> None:
    engine = load(context_tokens=512)
    for turns in range(1, 60):  # one of them fits but for its last words
        request, _ = long_chat(turns)
        steps = Steps(engine)
        steps.start(replace(request, messages=request.messages[:-1], generate=False))
        steps.finish()
        job, _ = steps.start(request)
        steps.finish()
        completion = outputs_of(job).completion
        assert completion.prompt_tokens - completion.reused_tokens <= 32  # the last words


def test_an_answer_that_may_be_longer_than_the_context_ends_where_that_is_full(
    load: MakeEngine,
) -> None:
    steps = Steps(load(context_tokens=512))
    job, _ = steps.start(chat("a", user("Hello."), max_tokens=4096))
    steps.finish()
    completion = outputs_of(job).completion
    assert completion.reason == "length"
    assert completion.prompt_tokens + completion.generated_tokens == 512


def test_a_long_answer_that_is_allowed_costs_no_more_than_a_quarter_of_the_context(
    load: MakeEngine,
) -> None:
    request, _ = long_chat(60)
    steps = Steps(load(context_tokens=1024))
    job, _ = steps.start(replace(request, max_tokens=1000))
    steps.step()
    assert 1024 // 2 < len(job.state.prompt.tokens) <= 1024 - 256


def test_a_message_that_does_not_fit_alone_is_refused(load: MakeEngine) -> None:
    engine = load(context_tokens=256)
    with pytest.raises(ContextTooLong, match="Shorten it"):
        Steps(engine).start(chat("a", user("word " * 400)))
    engine.assert_idle()


@pytest.fixture
def tokenized(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many characters each text had that the tokenizer was given."""
    lengths: list[int] = []
    original = Vocabulary.tokenize

    def tokenize(vocabulary: Vocabulary, text: str) -> list[int]:
        lengths.append(len(text))
        return original(vocabulary, text)

    monkeypatch.setattr(Vocabulary, "tokenize", tokenize)
    return lengths


HUGE = "word " * 100_000
TOOL = Tool("book", "Books.", {"type": "object", "title": HUGE})


@pytest.mark.parametrize(
    "request_",
    [
        chat("a", user(HUGE)),
        ChatRequest("a", (Message("system", HUGE), user("Hello."))),
        ChatRequest("a", (user("Hello."),), tools=(TOOL,)),
        chat("a", user("Hi."), Message("assistant", "", (ToolCall("call_1", "book", HUGE),))),
    ],
    ids=["message", "instructions", "tools", "call"],
)
def test_what_cannot_fit_by_its_length_is_refused_unread(
    load: MakeEngine, tokenized: list[int], request_: ChatRequest
) -> None:
    engine = load()
    tokenized.clear()
    with pytest.raises(ContextTooLong, match="Shorten it"):
        Steps(engine).start(request_)
    assert tokenized == []


def test_old_turns_that_cannot_fit_by_their_length_are_left_out_unread(
    load: MakeEngine, tokenized: list[int]
) -> None:
    messages = (user(HUGE), assistant("Yes."), user("Thanks."), assistant("Oh."), user("Bye."))
    steps = Steps(load())
    tokenized.clear()
    first, _ = steps.start(chat("a", *messages))
    assert "Thanks." in first.state.prompt.text
    assert HUGE not in first.state.prompt.text
    steps.finish()
    again, _ = steps.start(chat("a", *messages, assistant("Bye."), user("Still there?")))
    assert again.state.reused_tokens > 0
    steps.finish()
    assert max(tokenized) < 1000
