"""Chats that nobody waits for in real time, beside those of calls."""

from pathlib import Path

from engines.batcher import Priority
from engines.llm import ChatRequest, Completion, LlmEngine
from tests.tiny_llm import (
    LlmBatcher,
    LlmJob,
    MakeEngine,
    Steps,
    answer_alone,
    ask,
    chat,
    config,
    outputs_of,
    user,
)


def begin(steps: Steps, request: ChatRequest) -> tuple[LlmJob, bool]:
    return steps.start(request, priority=Priority.OFFLINE)


def rest(steps: Steps, *sessions: str) -> None:
    """Callers who were answered and now say nothing."""
    for session in sessions:
        steps.start(chat(session, user(f"{session} " * 60)))
        steps.finish()


def test_they_stand_still_while_a_call_is_answered_and_then_go_on(load: MakeEngine) -> None:
    request = chat("request", user("Hello."), max_tokens=12)
    steps = Steps(load())
    offline, _ = begin(steps, request)
    steps.step(4)
    assert offline.state.answer.count == 4
    call, _ = steps.start(chat("call", user("Kumusta?"), max_tokens=8))
    steps.step(8)
    assert call.finished
    assert offline.state.answer.count == 4
    steps.finish()
    assert outputs_of(offline).text == answer_alone(load(), request).text


def test_a_prompt_of_a_call_is_read_as_if_they_were_not_there(load: MakeEngine) -> None:
    steps = Steps(load())
    begin(steps, chat("request", user("Hello."), max_tokens=40))
    steps.step(2)
    call, _ = steps.start(chat("call", user("one two three " * 60)))
    steps.step()
    assert len(call.state.sequence.tokens) - call.state.reused_tokens == 256


async def test_they_are_answered_in_the_pauses_of_calls(random_model: Path) -> None:
    engine = LlmEngine(config(random_model))
    async with LlmBatcher("llm", engine) as batcher:
        request = chat("request", user("Hello."), max_tokens=40)
        async with batcher.submit(request, priority=Priority.OFFLINE) as offline:
            calls = 0
            while not offline.has_more:  # each pause lets one step of it through at least
                await ask(batcher, chat("call", user(f"Kumusta {calls}?"), max_tokens=4))
                calls += 1
            last = [output async for output in offline][-1]
    assert isinstance(last, Completion)
    assert last.generated_tokens == 40


def test_they_take_a_quarter_of_the_sequences(load: MakeEngine) -> None:
    steps = Steps(load(sequences=8))
    started = [begin(steps, chat(f"request {n}", user("Hello.")))[1] for n in range(3)]
    assert started == [True, True, False]
    assert steps.start(chat("call", user("Hello.")))[1]
    steps.finish()
    assert begin(steps, chat("request 2", user("Hello.")))[1]


def test_one_takes_the_place_of_a_caller_who_rests_but_a_second_does_not(
    load: MakeEngine,
) -> None:
    steps = Steps(load(sequences=8))
    rest(steps, *"abcdefgh")
    assert begin(steps, chat("request", user("Hello.")))[1], "no caller needs it now"
    assert not begin(steps, chat("another", user("Hello.")))[1]
    assert steps.engine._cache.evictions == 1


def test_a_long_one_finds_room_only_where_it_is_free(load: MakeEngine) -> None:
    request = chat("request", user("word " * 80))
    steps = Steps(load(context_tokens=512))
    rest(steps, *"ab")
    assert not begin(steps, request)[1]
    assert steps.engine._cache.evictions == 0
    alone = Steps(load(context_tokens=512))
    assert begin(alone, request)[1]


def test_a_caller_takes_the_place_of_what_was_requested_before_that_of_another_caller(
    load: MakeEngine,
) -> None:
    steps = Steps(load(sequences=2))
    rest(steps, "caller")
    begin(steps, chat("request", user("Hello.")))
    steps.finish()
    rest(steps, "new caller")
    assert steps.engine._cache.find("request") is None
    assert steps.engine._cache.find("caller") is not None


def test_a_long_answer_of_one_evicts_no_caller(load: MakeEngine) -> None:
    steps = Steps(load(context_tokens=512))
    rest(steps, *"ab")
    job, _ = begin(steps, chat("request", user("Hello."), max_tokens=500))
    steps.finish()
    assert outputs_of(job).completion.reason == "length"
    assert steps.engine._cache.evictions == 0
