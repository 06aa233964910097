"""The model reads what the caller says while they still say it."""

from engines.batcher import Priority
from engines.errors import Overloaded
from engines.llm import ChatRequest
from engines.stt import SttRequest
from server.commands import CreateItem
from server.items import MessageItem
from server.settings import FunctionTool, Settings, TurnDetection
from tests.fakes import FakeJob, Stage, transcript
from tests.server.play import Silence, Speech, Step, play
from tests.virtual import virtual_time

WORDS = "one two three four five six seven eight nine ten"
TOOL = FunctionTool("book", "Books.", {"type": "object"})


def _growing(request: SttRequest) -> str:
    """Two words a second."""
    seconds = len(request.samples) / 16_000
    return " ".join(WORDS.split()[: int(2 * seconds)])


def prefill_jobs(stage: Stage) -> list[FakeJob]:
    """The jobs whose request only reads."""
    jobs = [job for job in stage.llm.jobs if isinstance(job.request, ChatRequest)]
    return [job for job in jobs if not job.request.generate]


def assert_begins(prefill: ChatRequest, prompt: ChatRequest) -> None:
    """The prefill is the prompt but for words at its end."""
    *before, last = prefill.messages
    *before_prompt, last_prompt = prompt.messages
    assert before == before_prompt
    assert last_prompt.role == last.role == "user"
    assert last_prompt.content.startswith(last.content)
    assert (prefill.session, prefill.tools, prefill.max_tokens) == (
        prompt.session,
        prompt.tools,
        prompt.max_tokens,
    )


@virtual_time
async def test_what_is_read_early_begins_what_is_asked() -> None:
    stage = Stage(heard=_growing)
    settings = Settings(instructions="Be kind.", tools=(TOOL,))
    steps: list[Step] = [Speech(3.0), Silence(5.0), Speech(3.0), Silence(3.0)]
    result = await play(stage, steps, settings=settings)
    first, second = stage.prompts
    halves = (
        [p for p in stage.prefills if len(p.messages) == 2],
        [p for p in stage.prefills if len(p.messages) == 4],
    )
    (history,) = [p for p in stage.prefills if len(p.messages) == 3]  # as the second turn begins
    assert history.messages == second.messages[:3]
    assert all(len(half) >= 3 for half in halves)
    for prefills, prompt in zip(halves, (first, second), strict=True):
        for prefill in prefills:
            assert_begins(prefill, prompt)
        contents = [prefill.messages[-1].content for prefill in prefills]
        assert contents == sorted(contents, key=len)
    assert {job.priority for job in prefill_jobs(stage)} == {Priority.PARTIAL}
    assert result.counters.prefills == {"ready": len(stage.prefills)}


@virtual_time
async def test_words_after_a_typed_message_are_read_with_it() -> None:
    stage = Stage(heard=_growing)
    message = CreateItem(MessageItem("item_1", "user", "Listen."))
    await play(stage, [message, Speech(3.0), Silence(2.0)])
    typed, *spoken = stage.prefills
    assert typed.messages[-1].content == "Listen."
    assert spoken[0].messages[-1].content.startswith("Listen. one")
    assert_begins(stage.prefills[-1], stage.prompts[0])


@virtual_time
async def test_there_is_one_at_a_time_and_none_beside_the_turn() -> None:
    stage = Stage(heard=_growing, prefill_seconds=60.0)
    result = await play(stage, [Speech(4.0), Silence(3.0)])
    (job,) = prefill_jobs(stage)
    assert job.ended
    assert result.counters.prefills == {"cancelled": 1}
    assert len(stage.prompts) == 1


@virtual_time
async def test_another_language_for_a_moment_does_not_cost_the_conversation() -> None:
    stage = Stage()

    def hear(request: SttRequest) -> list[tuple[float, object]]:
        if not stage.prompts:
            return [(0.05, transcript(_growing(request), "en", languages=("en", "es")))]
        text = "Quisiera una cita con el dentista."
        return [(0.05, transcript(text, "es", languages=("en", "es")))]

    stage.stt.script = hear
    await play(stage, [Speech(3.0), Silence(5.0), Speech(3.0), Silence(2.0)])
    assert "English" in stage.prompts[0].messages[0].content
    assert "Spanish" in stage.prompts[-1].messages[0].content
    # The words of the first turn; of the second, what was said before.
    assert {len(prefill.messages) for prefill in stage.prefills} == {2, 3}


@virtual_time
async def test_a_client_that_answers_itself_has_nothing_read() -> None:
    stage = Stage(heard=_growing)
    detection = TurnDetection(create_response=False)
    await play(stage, [Speech(3.0), Silence(2.0)], settings=Settings(turn_detection=detection))
    assert not stage.prefills


@virtual_time
async def test_a_prefill_that_fails_is_counted_and_nothing_else() -> None:
    stage = Stage(heard=_growing)
    script = stage.llm.script
    stage.llm.script = lambda request: (
        [(0.0, Overloaded("Full."))] if not getattr(request, "generate", True) else script(request)
    )
    result = await play(stage, [Speech(3.0), Silence(3.0)])
    assert result.counters.prefills["failed"] >= 3
    assert result.counters.drafts == {"hit": 1}


@virtual_time
async def test_an_answer_that_was_interrupted_is_read_as_far_as_it_was_heard() -> None:
    stage = Stage(answer=("It is Paris which lies on the Seine and is home to many people.",))
    await play(stage, [Speech(1.0), Silence(1.5), Speech(2.0), Silence(0.1)])
    read = [message.content for job in prefill_jobs(stage) for message in job.request.messages]
    assert any("It is" in content for content in read)
    assert not any("many people" in content for content in read)
