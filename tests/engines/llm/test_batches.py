"""Many answers in one step of real llama.cpp, and who finds room."""

from pathlib import Path

from engines.batcher import Priority
from engines.llm import (
    ChatRequest,
    Completion,
    Forget,
    LlmEngine,
)
from tests.tiny_llm import (
    LlmBatcher,
    MakeEngine,
    Steps,
    answer_alone,
    assistant,
    chat,
    config,
    outputs_of,
    user,
)

QUESTIONS = (
    "What is the capital of France?",
    "¿Cuál es la capital de España?",
    "Bonjour, comment allez-vous ?",
    "भारत की राजधानी क्या है?",
    "Kumusta ka?",
    "Goodbye.",
)


async def test_answers_in_a_batch_equal_answers_one_at_a_time(
    random_model: Path, load: MakeEngine
) -> None:
    requests = [chat(f"s{i}", user(text), max_tokens=24) for i, text in enumerate(QUESTIONS)]
    alone = [answer_alone(load(sequences=1), request) for request in requests]
    steps = Steps(load())
    jobs = [steps.start(request)[0] for request in requests]
    steps.finish()
    assert [outputs_of(job).text for job in jobs] == [answer.text for answer in alone]
    assert len({answer.text for answer in alone}) == len(QUESTIONS)


def test_an_answer_goes_on_while_another_prompt_is_prefilled_in_chunks(load: MakeEngine) -> None:
    steps = Steps(load())
    talking, _ = steps.start(chat("a", user("Hello."), max_tokens=40))
    steps.step(2)
    long, _ = steps.start(chat("b", user("one two three " * 60)))
    steps.step(3)
    assert talking.state.answer.count == 5
    assert long.state.answer.count == 0, "its prompt takes more than three chunks"
    steps.finish()
    assert outputs_of(talking).completion.generated_tokens == 40


def test_a_long_prompt_alone_takes_larger_steps_but_not_when_it_is_speculative(
    load: MakeEngine,
) -> None:
    question = user("one two three " * 60)
    steps = Steps(load())
    urgent, _ = steps.start(chat("a", question))
    steps.step()
    urgent_tokens = len(urgent.state.sequence.tokens)
    steps.finish()
    steps.start(Forget("a"))
    guess, _ = steps.start(chat("b", question, generate=False), priority=Priority.PARTIAL)
    steps.step()
    assert urgent_tokens == 256
    assert len(guess.state.sequence.tokens) <= 64


def test_the_number_of_tokens_is_limited(load: MakeEngine) -> None:
    completion = answer_alone(load(), chat("a", user("Hello."), max_tokens=5)).completion
    assert (completion.reason, completion.generated_tokens) == ("length", 5)


def test_sampling_is_repeatable_by_its_seed(load: MakeEngine) -> None:
    engine = load()

    def sampled(seed: int) -> str:
        request = ChatRequest(
            "a", (user("Hello."),), max_tokens=16, temperature=1.0, top_k=0, top_p=1.0, seed=seed
        )
        return answer_alone(engine, request).text

    assert sampled(1) == sampled(1)
    assert len({sampled(seed) for seed in range(6)}) > 3


def test_the_least_recently_used_idle_session_is_evicted(load: MakeEngine) -> None:
    steps = Steps(load(sequences=2))
    for session in ("old", "new", "third"):
        steps.start(chat(session, user("Hello.")))
        steps.finish()
    cache = steps.engine._cache
    assert cache.evictions == 1
    assert [cache.find(session) is None for session in ("old", "new", "third")] == [
        True,
        False,
        False,
    ]


def test_an_evicted_session_goes_on_as_if_nothing_had_happened(load: MakeEngine) -> None:
    request = chat("a", user("Hello."), assistant("Hi."), user("What is your name?"))
    steps = Steps(load(sequences=1))
    for other in (chat("a", user("Hello.")), chat("b", user("Bonjour."))):
        steps.start(other)
        steps.finish()
    job, _ = steps.start(request)
    steps.finish()
    assert outputs_of(job).text == answer_alone(load(), request).text


def test_cells_are_freed_when_they_run_short(load: MakeEngine) -> None:
    steps = Steps(load(sequences=8, context_tokens=256))
    for index in range(8):
        steps.start(chat(f"s{index}", user(f"{index} " * 30), max_tokens=40))
        steps.finish()
    assert steps.engine._cache.evictions > 0
    assert steps.engine._cache.used <= 256


def test_a_job_waits_while_the_cells_are_promised_to_another(load: MakeEngine) -> None:
    steps = Steps(load(context_tokens=256))
    steps.start(chat("a", user("Hello " * 20), max_tokens=60))
    _, started = steps.start(chat("b", user("Bonjour " * 20), max_tokens=60))
    assert not started
    steps.finish()
    _, started = steps.start(chat("b", user("Bonjour " * 20), max_tokens=60))
    assert started


def test_long_answers_that_are_allowed_take_no_room_before_they_are_written(
    load: MakeEngine,
) -> None:
    steps = Steps(load(context_tokens=2048))
    steps.start(chat("idle", user("Hello.")))
    steps.finish()
    for index in range(4):
        _, started = steps.start(chat(f"s{index}", user("Hello."), max_tokens=2000))
        assert started
    assert steps.engine._cache.evictions == 0


def test_an_answer_is_as_long_as_was_asked_for_where_there_is_room(load: MakeEngine) -> None:
    steps = Steps(load(context_tokens=1024))
    steps.start(chat("idle", user("one two three " * 40), max_tokens=40))
    steps.finish()
    job, _ = steps.start(chat("a", user("Hello."), max_tokens=900))
    steps.finish()
    assert outputs_of(job).completion.generated_tokens == 900
    assert steps.engine._cache.find("idle") is None, "it made room, as one that rests does"


def test_answers_that_find_no_more_room_end_there(load: MakeEngine) -> None:
    steps = Steps(load(context_tokens=1024))
    jobs = [steps.start(chat(s, user("Hello."), max_tokens=900))[0] for s in ("a", "b")]
    steps.finish()
    completions = [outputs_of(job).completion for job in jobs]
    assert {completion.reason for completion in completions} == {"length"}
    assert all(256 < completion.generated_tokens < 900 for completion in completions)
    assert steps.engine._cache.used > 1000


async def test_waiting_jobs_are_answered_in_the_end(random_model: Path) -> None:
    engine = LlmEngine(config(random_model, sequences=2, context_tokens=256))
    requests = [chat(f"s{index}", user(f"Hello {index}"), max_tokens=60) for index in range(6)]
    async with LlmBatcher("llm", engine) as batcher:
        jobs = [batcher.submit(request) for request in requests]
        answers = []
        for job in jobs:
            async with job:
                answers.append([output async for output in job][-1])
    assert all(isinstance(answer, Completion) for answer in answers)
