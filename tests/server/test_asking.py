"""Answers that are asked for while the caller speaks, or before it is known what they said."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from engines.stt import SttRequest
from server.commands import (
    CancelResponse,
    CommitAudio,
    CreateItem,
    CreateResponse,
    KeysPressed,
    UpdateSettings,
)
from server.events import (
    AudioCommitted,
    Beside,
    Failed,
    ResponseFinished,
    ResponseStarted,
    Transcribed,
)
from server.items import ItemReference, MessageItem
from server.settings import Settings, TurnDetection
from tests.fakes import Stage
from tests.server.play import Play, Silence, Speech, Stall, Step, play
from tests.virtual import virtual_time

LISTEN_ONLY = Settings(turn_detection=TurnDetection(create_response=False))
CHECKED = (Speech(1.0), Silence(0.25), Speech(0.6), Silence(0.54))  # a draft, and a second look


def user_texts(result: Play) -> list[str | None]:
    items = result.session.history.items.values()
    return [item.text for item in items if isinstance(item, MessageItem) and item.role == "user"]


def slow_to_check(heard: Sequence[str], seconds: Sequence[float]) -> Stage:
    """The first transcript takes the first of these, every later one the second."""
    stage = Stage()

    def script(request: SttRequest) -> Sequence[tuple[float, Any]]:
        index = min(len(stage.stt.jobs), 1)
        return [(seconds[index], stage._transcript(request, heard[index]))]

    stage.stt.script = script
    return stage


@virtual_time
async def test_it_is_made_though_the_client_sends_no_more_sound() -> None:
    typed = CreateItem(MessageItem("item_typed", "user", "And the phone number?"))
    result = await play(Stage(), [Speech(1.0), typed, CreateResponse(), Stall(5.0)])
    (response,) = result.of(ResponseFinished)
    assert response.status == "completed"


@virtual_time
async def test_it_is_made_at_once_where_nobody_listens_for_the_end_of_speech() -> None:
    by_hand = UpdateSettings(Settings(turn_detection=None))
    result = await play(Stage(), [Speech(1.0), by_hand, CreateResponse(), Silence(1.0)])
    assert result.times_of(ResponseStarted)[0] < 1.2


@virtual_time
async def test_it_is_made_where_listening_for_the_end_is_given_up_while_it_waits() -> None:
    by_hand = UpdateSettings(Settings(turn_detection=None))
    steps: list[Step] = [Speech(1.0), CreateResponse(), Speech(0.5), by_hand, Speech(3.0)]
    result = await play(Stage(), steps)
    assert result.times_of(ResponseStarted)[0] < 1.7


@pytest.mark.parametrize("seconds", [(0.05, 0.6), (2.0, 0.6)], ids=["draft heard", "not heard"])
@virtual_time
async def test_it_is_made_of_words_that_are_looked_at_once_more(seconds: Sequence[float]) -> None:
    stage = slow_to_check(("Book a table", "Book a table for two"), seconds)
    steps: list[Step] = [*CHECKED, CreateResponse(), Silence(5.0)]
    result = await play(stage, steps, settings=LISTEN_ONLY)
    assert not result.of(Failed)
    assert len(result.of(ResponseFinished)) == 1
    assert user_texts(result) == ["Book a table for two"]


@virtual_time
async def test_words_are_kept_where_an_answer_is_cancelled_before_they_are_known() -> None:
    stage = slow_to_check(("Book a table", "Book a table for two"), (0.05, 0.6))
    result = await play(stage, [*CHECKED, KeysPressed("4711"), Silence(5.0)])
    assert user_texts(result) == ["Book a table for two", "4711"]


@virtual_time
async def test_keys_do_not_wait_for_the_end_of_a_noise() -> None:
    result = await play(Stage(), [Speech(1.0), KeysPressed("1"), Speech(3.0), Silence(3.0)])
    assert result.times_of(ResponseStarted)[0] < 1.2
    assert "1" in user_texts(result)


@virtual_time
async def test_one_that_waits_can_be_cancelled() -> None:
    steps: list[Step] = [Speech(1.0), CreateResponse(), CancelResponse(), Speech(0.5), Silence(4.0)]
    result = await play(Stage(), steps, settings=LISTEN_ONLY)
    assert not result.of(Failed)
    assert not result.of(ResponseStarted)


@virtual_time
async def test_one_of_its_own_input_is_made_though_the_one_before_is_cancelled() -> None:
    own = CreateResponse(context=(MessageItem("item_own", "user", "And of Spain?"),))
    steps: list[Step] = [
        Speech(1.0),
        own,
        Speech(0.5),
        Silence(1.2),
        CancelResponse(),
        Silence(6.0),
    ]
    result = await play(Stage(), steps)
    assert [event.status for event in result.of(ResponseFinished)] == ["cancelled", "completed"]


@virtual_time
async def test_one_that_waits_for_its_words_can_be_cancelled_and_another_asked_for() -> None:
    steps: list[Step] = [Speech(1.0), CommitAudio(), CreateResponse(), CancelResponse()]
    result = await play(
        Stage(stt_seconds=0.5),
        [*steps, Speech(0.3), CommitAudio(), CreateResponse(), Silence(6.0)],
        settings=Settings(turn_detection=None),
    )
    assert not result.of(Failed)
    assert len(result.of(Transcribed)) == 2
    assert [event.status for event in result.of(ResponseFinished)] == ["completed"]


def answers(result: Play) -> list[ResponseFinished]:
    beside = [event.event for event in result.of(Beside)]
    return [
        event
        for event in [*beside, *result.of(ResponseFinished)]
        if isinstance(event, ResponseFinished)
    ]


def committed(result: Play) -> str:
    return result.of(AudioCommitted)[-1].item_id


@pytest.mark.parametrize(
    "ask",
    [
        lambda result: CreateResponse(context=(ItemReference(committed(result)),)),
        lambda result: CreateResponse(context=(ItemReference(committed(result)),), is_beside=True),
        lambda _: CreateResponse(is_beside=True),
    ],
    ids=["by reference", "beside, by reference", "beside"],
)
@pytest.mark.parametrize("settings", [LISTEN_ONLY, Settings(turn_detection=None)])
@virtual_time
async def test_one_to_words_that_are_not_known_yet_waits_for_them(
    ask: Callable[[Play], CreateResponse], settings: Settings
) -> None:
    stage = Stage(stt_seconds=0.7)
    end: Step = Silence(0.6) if settings.turn_detection else CommitAudio()
    result = await play(
        stage, [Speech(1.0), end, Silence(0.04), ask, Silence(6.0)], settings=settings
    )
    assert [prompt.messages[-1].content for prompt in stage.prompts] == [stage.heard]
    assert [event.status for event in answers(result)] == ["completed"]
