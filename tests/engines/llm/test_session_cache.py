"""What is kept of a session: its prompt, what was heard, what is prefilled on a guess."""

from pathlib import Path

import pytest

from engines.batcher import Priority
from engines.errors import EngineError
from engines.llm import (
    ChatRequest,
    Completion,
    Forget,
    LlmEngine,
)
from engines.llm.context import Batch, Context
from tests.tiny_llm import (
    MakeEngine,
    Script,
    Steps,
    answer_alone,
    assistant,
    chat,
    config,
    outputs_of,
    user,
    write_sentencepiece_gguf,
)

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


def test_when_a_step_fails_its_jobs_end_and_the_next_answer_is_right(
    load: MakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = chat("a", user("Hello."))
    steps = Steps(load())
    job, _ = steps.start(request)
    steps.step(3)
    original = Context.decode

    def fail(context: Context, batch: Batch) -> None:
        original(context, batch)  # what was decoded is in the cache, and nobody knows of it
        raise EngineError("llama.cpp failed.")

    monkeypatch.setattr(Context, "decode", fail)
    with pytest.raises(EngineError):
        steps.step()
    steps.stop([job])
    steps.engine.assert_idle()
    monkeypatch.undo()
    assert answer_alone(steps.engine, request).text == answer_alone(load(), request).text


@pytest.mark.parametrize(("part", "method"), [("answer", "feed"), ("sampler", "pick")])
def test_what_goes_wrong_with_one_answer_ends_no_other(
    load: MakeEngine, monkeypatch: pytest.MonkeyPatch, part: str, method: str
) -> None:
    bad, good = chat("bad", user("Hello.")), chat("good", user("Kumusta?"))
    steps = Steps(load())
    victim, _ = steps.start(bad)
    other, _ = steps.start(good)
    steps.step(3)

    def fail(*arguments: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(getattr(victim.state, part), method, fail)
    steps.finish()
    assert isinstance(victim.error, ZeroDivisionError)
    assert outputs_of(other).text == answer_alone(load(), good).text
    again, _ = steps.start(bad)
    steps.finish()
    assert outputs_of(again).text == answer_alone(load(), bad).text


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
