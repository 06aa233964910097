"""What a client asks for by its own events, on scripted engines in virtual time."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engines.llm import ToolCall
from engines.stt import SttRequest
from engines.vad import WINDOW_SAMPLES, VadRequest
from server.commands import (
    AppendAudio,
    CancelResponse,
    ClearAudio,
    CommitAudio,
    CreateItem,
    CreateResponse,
    TruncateItem,
)
from server.conversation.recordings import MAXIMUM_AT_ONCE
from server.events import (
    AnswerAudio,
    AnswerStarted,
    Failed,
    FunctionCalled,
    ItemTruncated,
    ResponseFinished,
    SpeechStarted,
    Transcribed,
)
from server.items import FunctionOutputItem, MessageItem
from server.settings import FunctionTool, Settings
from tests.fakes import Stage
from tests.server.play import Play, Silence, Speech, Stall, Step, play, said
from tests.virtual import virtual_time

PUSH_TO_TALK = Settings(turn_detection=None)


@virtual_time
async def test_push_to_talk() -> None:
    steps: list[Step] = [Speech(1.0), CommitAudio(), CreateResponse(), Silence(3.0)]
    result = await play(Stage(), steps, settings=PUSH_TO_TALK)
    assert not result.of(SpeechStarted)
    assert len(result.of(Transcribed)) == 1
    assert said(result) == "The capital of France is Paris."
    assert result.of(ResponseFinished)[0].status == "completed"


@virtual_time
async def test_push_to_talk_asked_for_an_answer_after_the_transcript() -> None:
    steps: list[Step] = [Speech(1.0), CommitAudio(), Silence(1.0), CreateResponse(), Silence(3.0)]
    result = await play(Stage(), steps, settings=PUSH_TO_TALK)
    assert [m.role for m in result.stage.prompts[0].messages] == ["system", "user"]
    assert said(result) == "The capital of France is Paris."


@pytest.mark.parametrize(("seconds", "kept_seconds"), [(45.0, 45.0), (130.0, 120.0)])
@virtual_time
async def test_push_to_talk_takes_two_minutes_and_says_where_more_is_lost(
    seconds: float, kept_seconds: float
) -> None:
    audio = AppendAudio(np.full(round(seconds * 24_000), 0.5, np.float32))
    steps: list[Step] = [audio, Speech(1.0), CommitAudio(), CreateResponse(), Silence(3.0)]
    result = await play(Stage(), steps, settings=PUSH_TO_TALK)
    (heard,) = (len(job.request.samples) / 16_000 for job in result.stage.stt.jobs)
    assert heard == pytest.approx(min(seconds + 1.0, 120.0), abs=0.1)
    is_lost = kept_seconds < seconds
    codes = [event.error.code for event in result.of(Failed)]
    assert codes == (["input_audio_buffer_full"] if is_lost else [])
    assert result.of(ResponseFinished)[0].status == "completed"


@virtual_time
async def test_who_commits_on_and_on_has_a_few_transcripts_at_once() -> None:
    stage = Stage(stt_seconds=4.0)
    at_once: list[int] = []
    script = stage.stt.script

    def counted(request: SttRequest) -> Sequence[tuple[float, Any]]:
        at_once.append(1 + len(stage.stt.open_jobs))
        return script(request)

    stage.stt.script = counted
    steps: list[Step] = [Speech(0.2), CommitAudio()]
    result = await play(stage, [*(steps * 12), Silence(14.0)], settings=PUSH_TO_TALK)
    assert len(result.of(Transcribed)) == 12
    assert max(at_once) <= MAXIMUM_AT_ONCE + 1  # and that of the floor's own turn


@pytest.mark.parametrize(("seconds", "windows"), [(0.02, 1), (0.1, 4), (20.0, 32)])
@virtual_time
async def test_windows_that_come_together_are_heard_together_a_second_at_most(
    seconds: float, windows: int
) -> None:
    stage = Stage()
    most: list[int] = []
    script = stage.vad.script

    def counted(request: VadRequest) -> Sequence[tuple[float, Any]]:
        most.append(len(request.samples) // WINDOW_SAMPLES)
        return script(request)

    stage.vad.script = counted
    result = await play(stage, [Speech(20.0), Silence(20.0), Stall(5.0)], frame_seconds=seconds)
    assert max(most) == windows
    assert sum(most) == pytest.approx(40.0 * 16_000 / WINDOW_SAMPLES, abs=2)
    assert len(result.of(Transcribed)) == 1
    assert result.of(ResponseFinished)[0].status == "completed"


@virtual_time
async def test_commit_without_audio_is_an_error_and_clear_forgets() -> None:
    steps: list[Step] = [Speech(1.0), ClearAudio(), CommitAudio()]
    result = await play(Stage(), steps, settings=PUSH_TO_TALK)
    assert result.of(Failed)[0].error.code == "input_audio_buffer_commit_empty"


@virtual_time
async def test_typed_messages_are_answered() -> None:
    message = MessageItem("item_1", "user", "Hello")
    result = await play(Stage(), [CreateItem(message), CreateResponse(), Silence(3.0)])
    assert result.stage.prompts[0].messages[-1].content == "Hello"
    assert said(result) == "The capital of France is Paris."


@virtual_time
async def test_text_answers_have_no_audio() -> None:
    message = MessageItem("item_1", "user", "Hello")
    steps: list[Step] = [CreateItem(message), CreateResponse(), Silence(1.0)]
    result = await play(Stage(), steps, settings=Settings(output_modality="text"))
    assert said(result) == "The capital of France is Paris."
    assert not result.of(AnswerAudio)
    assert not result.stage.tts.jobs


@virtual_time
async def test_cancelling_ends_the_response_once() -> None:
    stage = Stage(answer=("One.", " Two.", " Three.", " Four."), token_seconds=1.0)
    steps: list[Step] = [Speech(1.0), Silence(2.5), CancelResponse(), CancelResponse()]
    result = await play(stage, [*steps, Silence(3.0)])
    finished = result.of(ResponseFinished)
    assert [(event.status, event.reason) for event in finished] == [
        ("cancelled", "client_cancelled")
    ]
    assert result.of(Failed)[0].error.code == "response_cancel_not_active"


@virtual_time
async def test_a_second_response_at_once_is_refused() -> None:
    stage = Stage(token_seconds=1.0)
    message = MessageItem("item_1", "user", "Hello")
    steps: list[Step] = [CreateItem(message), CreateResponse(), Silence(0.5), CreateResponse()]
    result = await play(stage, steps)
    assert result.of(Failed)[0].error.code == "conversation_already_has_active_response"


def truncation(result: Play) -> TruncateItem:
    """The client has played 700 ms of the first answer."""
    return TruncateItem(result.of(AnswerStarted)[0].item_id, 700)


@virtual_time
async def test_the_client_says_how_far_an_answer_was_heard() -> None:
    stage = Stage(answer=("One two three four five six seven eight.",))
    steps: list[Step] = [Speech(1.0), Silence(2.0), truncation, Speech(1.0), Silence(3.0)]
    result = await play(stage, steps)
    assert result.of(ItemTruncated)[0].audio_end_ms == 700
    heard = next(m.content for m in stage.prompts[-1].messages if m.role == "assistant")
    assert heard == "One two…"


@virtual_time
async def test_an_answer_that_is_not_there_cannot_be_truncated() -> None:
    result = await play(Stage(), [TruncateItem("item_nobody", 500)])
    assert result.of(Failed)[0].error.code == "item_truncate_invalid_item_id"


@virtual_time
async def test_a_tool_call_is_told_and_its_result_spoken() -> None:
    call = ToolCall("call_1", "book_appointment", '{"day": "Monday"}')
    tool = FunctionTool("book_appointment", "Books.", {"type": "object"})
    stage = Stage(tool_call=call)
    result = await play(stage, [Speech(1.0), Silence(2.0)], settings=Settings(tools=(tool,)))
    called = result.of(FunctionCalled)[0]
    assert called.item.arguments == '{"day": "Monday"}'
    assert called.item.call_id == "call_1"
    assert stage.prompts[0].tools[0].name == "book_appointment"
    assert result.of(ResponseFinished)[0].status == "completed"


@virtual_time
@pytest.mark.parametrize(
    ("settings", "offered"),
    [
        (Settings(), ["book", "cancel"]),
        (Settings(tool_choice="required"), ["book", "cancel"]),
        (Settings(tool_choice="none"), []),
        (Settings(tool_choice="required", forced_tool="cancel"), ["cancel"]),
    ],
)
async def test_the_tools_that_are_offered_are_those_of_the_choice(
    settings: Settings, offered: list[str]
) -> None:
    tools = tuple(FunctionTool(name, "", {"type": "object"}) for name in ("book", "cancel"))
    stage = Stage()
    await play(stage, [Speech(1.0), Silence(2.0)], settings=replace(settings, tools=tools))
    assert [tool.name for tool in stage.prompts[0].tools] == offered


@virtual_time
async def test_a_function_output_must_belong_to_a_call() -> None:
    output = FunctionOutputItem("item_1", "call_nobody", "done")
    result = await play(Stage(), [CreateItem(output)])
    assert result.of(Failed)[0].error.code == "invalid_value"
