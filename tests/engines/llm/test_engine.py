"""The engine on real llama.cpp, driven step by step or by its batcher."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from benchmarks.random_models import write_random_gguf
from engines.batcher import Priority
from engines.errors import ContextTooLong, EngineError, ModelError
from engines.llm import (
    ChatRequest,
    Completion,
    Forget,
    LlmConfig,
    LlmEngine,
    TextDelta,
    Tool,
)
from engines.llm.context import Context
from tests.tiny_llm import (
    SYSTEM,
    Answer,
    LlmBatcher,
    Steps,
    ask,
    assistant,
    chat,
    config,
    outputs_of,
    user,
    write_sentencepiece_gguf,
)

MakeEngine = Callable[..., LlmEngine]
Script = Callable[[Sequence[bytes]], LlmEngine]

QUESTIONS = (
    "What is the capital of France?",
    "¿Cuál es la capital de España?",
    "Bonjour, comment allez-vous ?",
    "भारत की राजधानी क्या है?",
    "Kumusta ka?",
    "Goodbye.",
)


def answer_alone(engine: LlmEngine, request: ChatRequest) -> Answer:
    """The answer of an engine that knows nothing of the session."""
    steps = Steps(engine)
    steps.start(Forget(request.session))
    job, _ = steps.start(request)
    steps.finish()
    return outputs_of(job)


# ---- batches ------------------------------------------------------------------------------------


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


# ---- the cache of a session ---------------------------------------------------------------------

WORDS = (b"The ca", b"pital of", b" Fran", b"ce is ", b"Pari", b"s.")


def two_turns(engine: LlmEngine, heard: str) -> tuple[Completion, Completion]:
    """Ask, let the caller hear a part of the answer, ask again."""
    engine.load()
    steps = Steps(engine)
    first, _ = steps.start(chat("a", user("Capital?")))
    steps.finish()
    second, _ = steps.start(chat("a", user("Capital?"), assistant(heard), user("Again?")))
    steps.finish()
    assert outputs_of(first).text == outputs_of(second).text == "The capital of France is Paris."
    return outputs_of(first).completion, outputs_of(second).completion


def test_the_next_turn_reuses_the_prompt_and_the_generated_tokens(scripted: Script) -> None:
    first, second = two_turns(scripted(WORDS), "The capital of France is Paris.")
    assert first.reason == "stop"
    assert first.generated_tokens == len(WORDS)
    assert second.reused_tokens == first.prompt_tokens + len(WORDS)


@pytest.mark.parametrize(
    ("heard", "words"),
    [
        ("The capital of France is Pari", 5),
        ("The capital of France is Par", 4),
        ("The ca", 1),
        ("The c", 0),
        ("Something else.", 0),
    ],
)
def test_rollback_keeps_the_whole_tokens_of_what_was_heard(
    scripted: Script, heard: str, words: int
) -> None:
    first, second = two_turns(scripted(WORDS), heard)
    assert second.reused_tokens == first.prompt_tokens + words


@pytest.mark.parametrize("space_before_text", [True, False])
def test_sentencepiece_prompts_begin_with_one_bos_and_are_spelt_as_one_text(
    tmp_path: Path, space_before_text: bool
) -> None:
    path = tmp_path / "sentencepiece.gguf"
    write_sentencepiece_gguf(path, space_before_text=space_before_text)
    engine = LlmEngine(config(path))
    engine.load()
    steps = Steps(engine)
    first, _ = steps.start(chat("a", user("Hello.")))
    steps.finish()
    messages = (user("Hello."), assistant(outputs_of(first).text), user("He said so."))
    second, _ = steps.start(chat("a", *messages))
    prompt = second.state.prompt
    steps.finish()
    pieces = b"".join(map(engine._vocabulary.piece, prompt.tokens)).decode()
    assert prompt.tokens.count(1) == 1
    assert prompt.tokens[0] == 1
    assert pieces.removeprefix(" ") == prompt.text.removeprefix("<s>")
    assert outputs_of(second).completion.reused_tokens >= outputs_of(first).completion.prompt_tokens


def test_an_answer_after_a_rollback_equals_a_fresh_one(load: MakeEngine) -> None:
    engine = load()
    steps = Steps(engine)
    first, _ = steps.start(chat("a", user("Hello."), max_tokens=30))
    steps.step(20)
    steps.stop([first])  # the caller interrupts
    heard = outputs_of(first).text[:20]
    second, _ = steps.start(chat("a", user("Hello."), assistant(heard), user("Wait.")))
    prompt = second.state.prompt
    steps.finish()
    assert outputs_of(second).completion.reused_tokens > 0
    fresh = Steps(load())
    again = fresh.submit(chat("a"))
    again.state = prompt  # the very same tokens, which is not how the heard text is tokenized
    fresh.admit(again)
    fresh.finish()
    assert outputs_of(second).text == outputs_of(again).text


def test_a_session_shares_the_system_prompt_of_another(load: MakeEngine) -> None:
    steps = Steps(load())
    steps.start(chat("a", user("Hello.")))
    steps.finish()
    used = steps.engine._cache.used
    other, _ = steps.start(chat("b", user("नमस्ते"), max_tokens=4))
    steps.finish()
    completion = outputs_of(other).completion
    assert completion.reused_tokens > 15
    new = completion.prompt_tokens - completion.reused_tokens + completion.generated_tokens - 1
    assert steps.engine._cache.used == used + new


def test_forgetting_a_session_frees_its_cache(load: MakeEngine) -> None:
    steps = Steps(load())
    steps.start(chat("a", user("Hello.")))
    steps.finish()
    forgotten, _ = steps.start(Forget("a"))
    steps.finish()
    assert outputs_of(forgotten).outputs == (Completion("ready"),)
    assert steps.engine._cache.used == 0


def test_a_session_forgotten_while_it_answers_is_freed_afterwards(load: MakeEngine) -> None:
    steps = Steps(load())
    job, _ = steps.start(chat("a", user("Hello.")))
    steps.step(3)
    steps.start(Forget("a"))
    steps.finish()
    assert outputs_of(job).completion.generated_tokens == 16
    assert steps.engine._cache.used == 0


def test_two_requests_of_one_session_at_once_are_both_right(load: MakeEngine) -> None:
    draft, better = chat("a", user("What is")), chat("a", user("What is your name?"))
    steps = Steps(load())
    first, _ = steps.start(draft)
    steps.step(4)
    second, _ = steps.start(better)
    steps.finish()
    assert outputs_of(first).text == answer_alone(load(), draft).text
    assert outputs_of(second).text == answer_alone(load(), better).text
    assert len(steps.engine._cache.sequences) == 1, "only the newer one is kept"


@pytest.mark.parametrize("method", ["decode", "logits"])
def test_when_a_step_fails_its_jobs_end_and_the_next_answer_is_right(
    load: MakeEngine, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    request = chat("a", user("Hello."))
    steps = Steps(load())
    job, _ = steps.start(request)
    steps.step(3)
    original = getattr(Context, method)

    def fail(context: Context, argument: object) -> None:
        original(context, argument)  # what was decoded is in the cache, and nobody knows of it
        raise EngineError("llama.cpp failed.")

    monkeypatch.setattr(Context, method, fail)
    with pytest.raises(EngineError):
        steps.step()
    steps.stop([job])
    steps.engine.assert_idle()
    monkeypatch.undo()
    assert answer_alone(steps.engine, request).text == answer_alone(load(), request).text


# ---- room ---------------------------------------------------------------------------------------


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
    steps.start(chat("a", user("Hello."), max_tokens=180))
    _, started = steps.start(chat("b", user("Bonjour."), max_tokens=180))
    assert not started
    steps.finish()
    job, started = steps.start(chat("b", user("Bonjour."), max_tokens=180))
    assert started
    steps.finish()
    assert outputs_of(job).completion.generated_tokens <= 180


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


# ---- prefill on a guess -------------------------------------------------------------------------


def guess(session: str, text: str) -> ChatRequest:
    return chat(session, user(text), generate=False)


def test_a_prefilled_prompt_is_not_decoded_again(load: MakeEngine) -> None:
    steps = Steps(load())
    partial, _ = steps.start(guess("a", "What is the capital of"), priority=Priority.PARTIAL)
    steps.finish()
    request = chat("a", user("What is the capital of France?"))
    job, _ = steps.start(request)
    steps.finish()
    assert outputs_of(partial).completion.reason == "ready"
    assert outputs_of(partial).completion.generated_tokens == 0
    assert outputs_of(job).completion.reused_tokens >= (
        outputs_of(partial).completion.prompt_tokens - 1
    )
    assert outputs_of(job).text == answer_alone(load(), request).text


def test_the_same_prefill_again_has_nothing_to_do(load: MakeEngine) -> None:
    steps = Steps(load())
    for _ in range(2):
        job, _ = steps.start(guess("a", "What is"), priority=Priority.PARTIAL)
        steps.finish()
    completion = outputs_of(job).completion
    assert completion.reason == "ready"
    assert completion.reused_tokens == completion.prompt_tokens


@pytest.mark.parametrize(("sequences", "context_tokens"), [(2, 2048), (8, 256)])
def test_a_prefill_never_evicts(load: MakeEngine, sequences: int, context_tokens: int) -> None:
    steps = Steps(load(sequences=sequences, context_tokens=context_tokens))
    for session in ("a", "b"):
        steps.start(chat(session, user(f"{session} " * 80), max_tokens=30))
        steps.finish()
    held, evictions = steps.engine._cache.used, steps.engine._cache.evictions
    job, started = steps.start(guess("c", "c " * 80), priority=Priority.PARTIAL)
    assert started, "it must not wait either"
    steps.finish()
    assert outputs_of(job).completion.reason == "skipped"
    assert steps.engine._cache.evictions == evictions
    assert steps.engine._cache.used == held


def test_a_newer_request_overtakes_a_prefill(load: MakeEngine) -> None:
    steps = Steps(load())
    old, _ = steps.start(guess("a", "one two " * 60), priority=Priority.PARTIAL)
    steps.step()
    request = chat("a", user("one two three"))
    new, _ = steps.start(request)
    steps.step()
    assert outputs_of(old).completion.reason == "skipped"
    steps.finish()
    assert outputs_of(new).completion.reused_tokens > 20
    assert outputs_of(new).text == answer_alone(load(), request).text


# ---- text and tool calls ------------------------------------------------------------------------


async def all_outputs(engine: LlmEngine, request: ChatRequest) -> Answer:
    async with LlmBatcher("llm", engine) as batcher:
        return await ask(batcher, request)


async def test_a_stop_string_over_several_tokens_ends_the_answer(scripted: Script) -> None:
    engine = scripted((b"Say ", b"it.<", b"en", b"d> ne", b"ver"))
    answer = await all_outputs(engine, chat("a", user("Hello."), stop=("<end>", "never")))
    assert answer.text == "Say it."
    assert (answer.completion.reason, answer.completion.generated_tokens) == ("stop", 4)


async def test_what_only_began_like_a_stop_string_is_not_lost(scripted: Script) -> None:
    engine = scripted((b"Say ", b"it.<", b"en"))
    answer = await all_outputs(engine, chat("a", user("Hello."), stop=("<end>",)))
    assert answer.text == "Say it.<en"


async def test_characters_split_over_tokens_arrive_whole(scripted: Script) -> None:
    text = "नमस्ते, आप कैसे हैं?"
    data = text.encode()
    pieces = [data[i : i + 5] for i in range(0, len(data), 5)]
    answer = await all_outputs(scripted(pieces), chat("a", user("नमस्ते")))
    assert answer.text == text
    assert answer.completion.generated_tokens == len(pieces)
    for output in answer.outputs[:-1]:
        assert isinstance(output, TextDelta)
        assert "\N{REPLACEMENT CHARACTER}" not in output.text


async def test_an_answer_cut_inside_a_character_drops_it(scripted: Script) -> None:
    engine = scripted((b"a\xe0", b"\xa4\xa8 b"))
    answer = await all_outputs(engine, chat("a", user("Hello."), max_tokens=1))
    assert answer.text == "a"
    assert answer.completion.reason == "length"


BOOK = Tool("book", "Books an appointment.", {"type": "object", "properties": {}})


async def test_a_tool_call_comes_out_of_the_text(scripted: Script) -> None:
    call = b'<tool_call>{"name": "book", "arguments": {"day": "lunes"}}\n</tool_call>'
    pieces = [b"One mo", b"ment.", *(call[i : i + 7] for i in range(0, len(call), 7)), b"Done."]
    engine = scripted(pieces)
    request = ChatRequest("a", (SYSTEM, user("Book it.")), tools=(BOOK,), max_tokens=40)
    answer = await all_outputs(engine, request)
    assert answer.text == "One moment.Done."
    assert [(call.name, call.arguments) for call in answer.calls] == [("book", '{"day": "lunes"}')]
    assert answer.completion.reason == "tool_calls"


async def test_without_tools_a_tag_is_text(scripted: Script) -> None:
    engine = scripted((b"<tool_call>", b"x"))
    answer = await all_outputs(engine, chat("a", user("Hello.")))
    assert answer.text == "<tool_call>x"
    assert answer.completion.reason == "stop"


# ---- prompts that are too long ------------------------------------------------------------------


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


def test_a_message_that_does_not_fit_alone_is_refused(load: MakeEngine) -> None:
    engine = load(context_tokens=256)
    with pytest.raises(ContextTooLong, match="Shorten it"):
        Steps(engine).start(chat("a", user("word " * 400)))
    engine.assert_idle()


# ---- loading ------------------------------------------------------------------------------------


def test_it_says_what_it_loaded(random_model: Path, load: MakeEngine) -> None:
    (model,) = load().loaded
    assert (model.kind, model.name, model.path) == ("llm", "random", str(random_model))
    assert model.device == "cpu"
    assert model.megabytes == pytest.approx(random_model.stat().st_size / 1e6)


@pytest.mark.parametrize("content", [None, b"", b"not a GGUF file", b"GGUF\x03\x00\x00\x00"])
def test_a_missing_or_broken_file_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "broken.gguf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=r"broken\.gguf .* tinig\.toml"):
        LlmEngine(LlmConfig(model=str(path))).load()


def test_a_truncated_file_is_named(tmp_path: Path, random_model: Path) -> None:
    path = tmp_path / "half.gguf"
    path.write_bytes(random_model.read_bytes()[:200_000])
    with pytest.raises(ModelError, match=r"half\.gguf"):
        LlmEngine(LlmConfig(model=str(path))).load()


def test_a_model_without_a_chat_template_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "base.gguf"
    write_random_gguf(path, layers=1, width=64, chat_template="")
    with pytest.raises(ModelError, match="chat template"):
        LlmEngine(LlmConfig(model=str(path))).load()


def test_a_chat_template_that_cannot_be_compiled_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "odd.gguf"
    write_random_gguf(path, layers=1, width=64, chat_template="{% if %}")
    with pytest.raises(ModelError, match="chat template cannot be compiled"):
        LlmEngine(LlmConfig(model=str(path))).load()
