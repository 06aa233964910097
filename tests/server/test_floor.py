"""What a client asks for at the wrong moment, and what is then true of the conversation."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from engines.stt import SttRequest
from server.commands import (
    ClearAudio,
    Command,
    CommitAudio,
    CreateItem,
    CreateResponse,
    KeysPressed,
    TruncateItem,
    UpdateSettings,
)
from server.config import ConversationConfig, InterruptionConfig
from server.events import (
    AnswerStarted,
    CallEnded,
    Failed,
    InterruptionJudged,
    ItemAdded,
    ItemTruncated,
    ResponseFinished,
    ResponseStarted,
    Transcribed,
    TurnFinished,
)
from server.items import MessageItem
from server.metrics import Counters
from server.session import Session
from server.settings import Settings, TurnDetection
from tests.fakes import Stage
from tests.server.play import Silence, Speech, Step, play
from tests.virtual import virtual_time

UNINTERRUPTED = Settings(turn_detection=TurnDetection(interrupt_response=False))
UNANSWERED = Settings(turn_detection=TurnDetection(create_response=False))


@pytest.mark.parametrize("silence_seconds", [0.22, 0.28, 0.34, 0.5])
def test_an_answer_asked_for_in_a_pause_is_given(silence_seconds: float) -> None:
    @virtual_time
    async def test() -> None:
        stage = Stage(heard="Book a table for", stt_seconds=0.01)
        steps: list[Step] = [Speech(1.0), Silence(silence_seconds), CreateResponse(), Silence(4.0)]
        result = await play(stage, steps, settings=UNANSWERED)
        assert not result.of(Failed)
        assert [event.status for event in result.of(ResponseFinished)] == ["completed"]
        assert stage.prompts[-1].messages[-1].content == "Book a table for"

    test()


OWN = replace(Settings(), instructions="Be brief.", metadata={"name": "own"})
INPUT = (MessageItem("item_own", "user", "And of Spain?"),)


@pytest.mark.parametrize("settings", [Settings(), UNANSWERED])
@pytest.mark.parametrize("then", [Speech(1.0), Silence(0.02)])
def test_an_answer_with_settings_of_its_own_waits_for_who_speaks(
    settings: Settings, then: Step
) -> None:
    """It was cut off in the midst of a word, and answered by the session's settings."""

    @virtual_time
    async def test() -> None:
        stage = Stage()
        steps: list[Step] = [Speech(1.0), CreateResponse(OWN), then, Silence(4.0)]
        result = await play(stage, steps, settings=settings)
        assert [event.settings.metadata for event in result.of(ResponseStarted)] == [OWN.metadata]
        assert "Be brief." in stage.prompts[-1].messages[0].content
        assert len(result.of(Transcribed)) == 1
        assert not result.of(Failed)

    test()


@pytest.mark.parametrize("pause_seconds", [0.22, 0.28, 0.34])
@virtual_time
async def test_nor_is_one_in_a_pause_answered_by_other_settings(pause_seconds: float) -> None:
    steps: list[Step] = [Speech(1.0), Silence(pause_seconds), CreateResponse(OWN), Silence(4.0)]
    result = await play(Stage(), steps)
    assert [event.settings.metadata for event in result.of(ResponseStarted)] == [OWN.metadata]
    assert not result.of(Failed)


@pytest.mark.parametrize("turns", [1, 0])
@virtual_time
async def test_an_answer_to_an_input_of_its_own_follows_that_to_the_caller(turns: int) -> None:
    """Or what they said, where that is not answered."""
    stage = Stage()
    steps: list[Step] = [Speech(1.0), CreateResponse(OWN, INPUT), Speech(0.5), Silence(6.0)]
    result = await play(stage, steps, settings=Settings() if turns else UNANSWERED)
    assert [event.status for event in result.of(ResponseFinished)] == ["completed"] * (turns + 1)
    assert stage.prompts[-1].messages[-1].content == "And of Spain?"
    assert len(result.of(Transcribed)) == 1
    assert not result.of(Failed)


@virtual_time
async def test_an_answer_to_an_input_of_its_own_waits_for_a_transcript() -> None:
    stage = Stage()
    held = replace(Settings(), turn_detection=None)
    steps: list[Step] = [Speech(1.0), CommitAudio(), CreateResponse(OWN, INPUT), Silence(4.0)]
    result = await play(stage, steps, settings=held)
    assert [event.status for event in result.of(ResponseFinished)] == ["completed"]
    assert stage.prompts[-1].messages[-1].content == "And of Spain?"
    assert not result.of(Failed)


@virtual_time
async def test_what_is_asked_for_is_given_though_the_sound_is_cleared_or_was_nothing() -> None:
    for steps in ([ClearAudio(), Silence(3.0)], [Silence(4.0)]):
        stage = Stage(heard="")
        result = await play(stage, [Speech(1.0), CreateResponse(OWN), *steps])
        assert [event.status for event in result.of(ResponseFinished)] == ["completed"]


@pytest.mark.parametrize("turn_detection", [TurnDetection(), None])
@virtual_time
async def test_of_two_that_are_asked_for_at_once_the_second_is_refused(
    turn_detection: TurnDetection | None,
) -> None:
    settings = replace(Settings(), turn_detection=turn_detection)
    said: list[Step] = [Speech(1.0), *([] if turn_detection else [CommitAudio()])]
    twice: list[Step] = [CreateResponse(OWN), CreateResponse()]
    result = await play(Stage(), [*said, *twice, Silence(4.0)], settings=settings)
    assert [event.settings.metadata for event in result.of(ResponseStarted)] == [OWN.metadata]
    codes = [event.error.code for event in result.of(Failed)]
    assert codes == ["conversation_already_has_active_response"]


@pytest.mark.parametrize("before", [Silence(1.0), Speech(1.0)])
def test_what_is_cleared_is_no_item_where_nothing_interrupts(before: Step) -> None:
    @virtual_time
    async def test() -> None:
        steps: list[Step] = [before, ClearAudio(), Silence(2.0)]
        result = await play(Stage(), steps, settings=UNINTERRUPTED)
        assert not result.of(ItemAdded)

    test()


@virtual_time
async def test_a_draft_by_settings_that_have_changed_is_not_used() -> None:
    stage = Stage()
    brief = UpdateSettings(Settings(instructions="Be brief."))
    result = await play(stage, [Speech(1.0), Silence(0.28), brief, Silence(3.0)])
    assert "Be brief." in stage.prompts[-1].messages[0].content
    assert [event.status for event in result.of(ResponseFinished)] == ["completed"]
    assert result.counters.drafts == {"dropped": 1}


@virtual_time
async def test_who_goes_over_to_push_to_talk_in_a_pause_is_heard_to_the_end() -> None:
    def heard(request: SttRequest) -> str:
        return f"{len(request.samples) // 16_000} seconds"

    held = UpdateSettings(replace(Settings(), turn_detection=None))
    steps: list[Step] = [
        Speech(1.0),
        Silence(0.28),
        held,
        Speech(3.0),
        CommitAudio(),
        CreateResponse(),
        Silence(3.0),
    ]
    result = await play(Stage(heard=heard), steps)
    assert [event.text for event in result.of(Transcribed)] == ["4 seconds"]


@pytest.mark.parametrize("clear_at_the_end", [False, True])
@pytest.mark.parametrize("before_seconds", [0.7, 0.76, 0.82, 0.88, 0.93])
def test_unclear_words_over_the_end_of_an_answer_are_judged_when_they_are_over(
    before_seconds: float, clear_at_the_end: bool
) -> None:
    """As those in its midst are; a hum has some, too. The answer ends at 2.62 s."""

    def unclear(request: SttRequest) -> str:
        over_answer = asyncio.get_running_loop().time() > 1.8
        is_whole = asyncio.get_running_loop().time() > 3.1
        stage.confidence = 0.95 if not over_answer or (is_whole and clear_at_the_end) else 0.6
        return "Tell me help" if over_answer else "What is the capital of France?"

    @virtual_time
    async def test() -> None:
        question: list[Step] = [Speech(1.0), Silence(0.6 + before_seconds)]
        steps = [*question, Speech(0.3), Silence(5.0)]
        result = await play(stage, steps, interruption=InterruptionConfig(echo_likeness=2.0))
        answers = [event.status for event in result.of(ResponseFinished)]
        assert answers == ["completed"] * (1 + clear_at_the_end)
        assert [event.text for event in result.of(Transcribed)][1:] == (
            ["Tell me help"] if clear_at_the_end else []
        )
        verdicts = [event.record["verdict"] for event in result.of(InterruptionJudged)]
        assert verdicts == ["words" if clear_at_the_end else "noise"]

    stage = Stage(heard=unclear, answer=("The capital is Paris.",))
    test()


@virtual_time
async def test_who_types_is_still_there() -> None:
    config = ConversationConfig(idle_seconds=5.0)
    steps: list[Step] = [Silence(7.0), KeysPressed("1"), Silence(8.0)]
    result = await play(Stage(), steps, config=config)
    assert not result.of(CallEnded)


@virtual_time
async def test_a_draft_that_was_found_wrong_after_the_turn_had_ended_was_no_hit() -> None:
    stage = Stage(heard=lambda request: f"{len(request.samples)} samples", stt_seconds=0.6)
    result = await play(stage, [Speech(0.6), Silence(0.3), Speech(0.6), Silence(3.0)])
    assert result.counters.drafts == {"missed": 1}
    (turn,) = result.of(TurnFinished)
    assert (turn.record.draft, turn.record.status) == ("", "completed")
    assert "turn_confirmed" in turn.record.milestones_ms


@virtual_time
async def test_an_hours_answers_can_be_truncated_if_they_are_not_old() -> None:
    turn: list[Step] = [CreateResponse(), Silence(3.0)]

    def truncate(place: int) -> Step:
        return lambda result: TruncateItem(result.of(AnswerStarted)[place].item_id, 300)

    result = await play(Stage(), [*turn * 25, truncate(0), truncate(-20), Silence(0.1)])
    assert len(result.of(AnswerStarted)) == 25
    assert [event.error.code for event in result.of(Failed)] == ["item_truncate_invalid_item_id"]
    assert len(result.of(ItemTruncated)) == 1


@virtual_time
async def test_who_hangs_up_while_the_end_of_an_answer_is_being_sent() -> None:
    told = asyncio.Event()
    session = Session(
        "sess_test",
        Stage().engines,
        config=ConversationConfig(),
        interruption=InterruptionConfig(),
        settings=Settings(output_modality="text"),
        counters=Counters(),
    )

    async def commands() -> AsyncIterator[Command]:
        yield CreateItem(MessageItem("item_1", "user", "Hello."))
        yield CreateResponse()
        await told.wait()

    async def read() -> list[object]:
        events: list[object] = []
        async for event in session.events():
            events.append(event)
            if isinstance(event, ResponseFinished):
                told.set()
                await asyncio.sleep(1.0)  # the network takes its time
        return events

    reading = asyncio.ensure_future(read())
    await session.run(commands())
    assert any(isinstance(event, ResponseFinished) for event in await reading)
