"""Answers over a real WebSocket: function calls, settings of their own, beside the conversation."""

import re

import pytest

from engines.errors import EngineError
from engines.llm import Completion, TextDelta, ToolCall, ToolCallDelta
from server.language.languages import Phrase, phrase
from tests.fakes import Stage
from tests.server.protocol.wire import (
    ANSWER,
    TEXT,
    TOOL,
    Client,
    calling,
)


async def test_a_call_by_the_client_may_be_answered_for(client: Client, stage: Stage) -> None:
    async with calling(client) as call:
        await call.update(**TEXT)
        await call.add(type="function_call", name="f", arguments="{}", call_id="call_9")
        await call.add(type="function_call_output", call_id="call_9", output="42")
        await call.send("response.create")
        await call.until("response.done")
    assert [m.role for m in stage.prompts[0].messages[1:]] == ["assistant", "tool"]


async def test_arguments_come_while_the_model_writes_them(client: Client, stage: Stage) -> None:
    arguments = '{"day": "Monday", "hour": "ten"}'
    stage.tool_call, stage.token_seconds = ToolCall("call_1", "book", arguments), 0.05
    async with calling(client) as call:
        await call.update(tools=[TOOL], **TEXT)
        await call.send("response.create")
        first = await call.until("response.function_call_arguments.delta")
        await call.update()
        assert not call.of("response.function_call_arguments.done")
        await call.until("response.done")
    deltas = call.of("response.function_call_arguments.delta")
    assert [event["delta"] for event in deltas] == re.findall(".{1,5}", arguments)
    (added,) = call.of("response.output_item.added")
    assert added["item"]["arguments"] == ""
    (done,) = call.of("response.function_call_arguments.done")
    assert (done["name"], done["arguments"], done["call_id"]) == ("book", arguments, "call_1")
    assert done["item_id"] == first["item_id"] == added["item"]["id"]
    (item,) = call.received[-1]["response"]["output"]
    assert (item["arguments"], item["status"]) == (arguments, "completed")


async def test_a_call_that_is_broken_off_is_incomplete(client: Client, stage: Stage) -> None:
    stage.tool_call, stage.token_seconds = ToolCall("call_1", "book", '{"day": "Monday"}'), 0.2
    async with calling(client) as call:
        await call.update(tools=[TOOL], **TEXT)
        await call.send("response.create")
        await call.until("response.function_call_arguments.delta")
        await call.send("response.cancel")
        done = await call.until("response.done")
        (item,) = done["response"]["output"]
        assert (item["arguments"], item["status"]) == ('{"day', "incomplete")
        assert call.of("response.output_item.done")[0]["item"] == item
        assert not call.of("response.function_call_arguments.done")
        output = {"type": "function_call_output", "call_id": "call_1", "output": "ok"}
        error = await call.refusal("conversation.item.create", item=output)
        assert error["code"] == "invalid_value"
        await call.send("conversation.item.retrieve", item_id=item["id"])
        assert (await call.until("conversation.item.retrieved"))["item"] == item
        await call.write("Never mind.", "item_2")
        await call.send("response.create")
        await call.until("response.done")
    assert [message.role for message in stage.prompts[-1].messages] == ["system", "user"]


@pytest.mark.parametrize("breaks", [False, True])
async def test_words_behind_a_call_are_of_the_same_message(
    client: Client, stage: Stage, *, breaks: bool
) -> None:
    first = [TextDelta("Let me see."), ToolCallDelta("call_1", "book", "{")]
    rest = [
        ToolCallDelta("call_1", "book", "}"),
        ToolCall("call_1", "book", "{}"),
        TextDelta(" It is booked."),
        Completion("tool_calls"),
    ]
    outputs = [*first, *([EngineError("It broke.")] if breaks else rest)]
    stage.llm.script = lambda request: [(0.01, output) for output in outputs]
    async with calling(client) as call:
        await call.update(tools=[TOOL], **TEXT)
        await call.send("response.create")
        done = await call.until("response.done")
        message, written = done["response"]["output"]
        behind = phrase(Phrase.FAILURE, "en") if breaks else "It is booked."
        assert message["content"][0]["text"] == f"Let me see. {behind}"
        assert written["status"] == ("incomplete" if breaks else "completed")
        ends = {end["item"]["id"]: end for end in call.of("conversation.item.done")}
        assert ends[message["id"]]["previous_item_id"] is None
        assert ends[written["id"]]["previous_item_id"] == message["id"]
        await call.send("conversation.item.retrieve", item_id=message["id"])
        told = (await call.until("conversation.item.retrieved"))["item"]
        assert told["content"] == message["content"]


async def test_an_answer_by_settings_of_its_own(client: Client, stage: Stage) -> None:
    async with calling(client) as call:
        await call.write("Hello", "a")
        own = {
            **TEXT,
            "instructions": "Rhyme.",
            "max_output_tokens": 7,
            "metadata": {"topic": "rhymes"},
            "tools": [TOOL],
            "tool_choice": {"type": "function", "name": "book"},
        }
        await call.send("response.create", response=own)
        created = (await call.until("response.created"))["response"]
        done = (await call.until("response.done"))["response"]
        assert not call.of("response.output_audio.delta")
        assert (await call.update())["output_modalities"] == ["audio"]
    for told in (created, done):
        assert told["metadata"] == {"topic": "rhymes"}
        assert told["output_modalities"] == ["text"]
        assert told["max_output_tokens"] == 7
        assert told["conversation_id"] is not None
    (prompt,) = stage.prompts
    assert prompt.messages[0].content.endswith("Rhyme.")
    assert prompt.max_tokens == 7
    assert [tool.name for tool in prompt.tools] == ["book"]


async def test_an_answer_to_other_items_joins_the_conversation(
    client: Client, stage: Stage
) -> None:
    async with calling(client) as call:
        await call.update(**TEXT)
        await call.write("Not asked about.", "a")
        await call.write("Hello", "b")
        content = [{"type": "input_text", "text": "Who?"}]
        other = {"type": "message", "role": "user", "content": content}
        context = [{"type": "item_reference", "id": "b"}, other]
        await call.send("response.create", response={"input": context})
        done = (await call.until("response.done"))["response"]
        await call.send("conversation.item.retrieve", item_id=done["output"][0]["id"])
        await call.until("conversation.item.retrieved")
    assert [m.content for m in stage.prompts[0].messages[1:]] == ["Hello Who?"]


async def test_answers_beside_the_conversation(client: Client, stage: Stage) -> None:
    """Two of them, while the conversation's own is made, and one after: none enters it."""
    stage.token_seconds = 0.1
    async with calling(client) as call:
        await call.update(**TEXT)
        await call.write("Hello", "a")
        await call.send("response.create")
        for topic in ("one", "two"):
            own = {"conversation": "none", "metadata": {"topic": topic}, **TEXT}
            await call.send("response.create", response=own)
        for _ in range(3):
            await call.until("response.done")
        done = [event["response"] for event in call.of("response.done")]
        assert [response["status"] for response in done] == ["completed"] * 3
        beside = [response for response in done if response["conversation_id"] is None]
        assert {response["metadata"]["topic"] for response in beside} == {"one", "two"}
        assert all(response["output"][0]["content"][0]["text"] == ANSWER for response in beside)
        remaining = [
            event["rate_limits"][0]["remaining"] for event in call.of("rate_limits.updated")
        ]
        assert remaining == [4, 3, 2]
        added = call.of("conversation.item.added")
        assert len(added) == 2  # the message and the conversation's own answer
        error = await call.refusal(
            "conversation.item.retrieve", item_id=beside[0]["output"][0]["id"]
        )
        assert error["code"] == "item_retrieve_invalid_item_id"
    assert not stage.open_jobs


async def test_an_answer_beside_the_conversation_is_cancelled(client: Client, stage: Stage) -> None:
    stage.token_seconds = 5.0
    async with calling(client) as call:
        for _ in range(4):
            await call.send("response.create", response={"conversation": "none"})
        error = await call.refusal("response.create", response={"conversation": "none"})
        assert error["code"] == "rate_limit_exceeded"
        assert (await call.refusal("response.cancel"))["code"] == "response_cancel_not_active"
        first = call.of("response.created")[0]["response"]["id"]
        await call.send("response.cancel", response_id=first)
        done = (await call.until("response.done"))["response"]
        assert (done["id"], done["status"]) == (first, "cancelled")
        assert done["status_details"]["reason"] == "client_cancelled"
