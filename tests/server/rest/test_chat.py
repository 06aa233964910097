"""`/v1/chat/completions` on scripted engines: what the model is asked and what is answered."""

import json
from typing import Any

import pytest

from engines.batcher import Priority
from engines.errors import EngineError
from engines.llm import ChatRequest, Completion, Forget, Message, TextDelta, Tool, ToolCall
from tests.fakes import Stage
from tests.server.rest.door import client_of, instant, server_on

HELLO = {"role": "user", "content": "Hello."}
TOOL = {"type": "function", "function": {"name": "time", "description": "The time."}}


async def ask(stage: Stage, **body: Any) -> Any:
    """The answer: JSON, or the events of a stream."""
    async with client_of(server_on(stage)) as client:
        request = {"messages": [HELLO], **body}
        response = await client.post("/v1/chat/completions", json=request)
        assert response.status == 200, await response.text()
        if response.content_type == "application/json":
            return await response.json()
        lines = (await response.text()).split("\n\n")
        assert lines[-2:] == ["data: [DONE]", ""]
        return [json.loads(line.removeprefix("data: ")) for line in lines[:-2]]


async def test_a_whole_answer() -> None:
    stage = instant()
    answer = await ask(stage)
    assert answer["object"] == "chat.completion"
    (choice,) = answer["choices"]
    assert choice["message"] == {
        "role": "assistant",
        "content": "The capital of France is Paris.",
    }
    assert choice["finish_reason"] == "stop"
    assert answer["usage"]["total_tokens"] == 13
    assert {job.priority for job in stage.llm.jobs} == {Priority.OFFLINE}
    assert isinstance(stage.llm.jobs[-1].request, Forget)
    assert not stage.open_jobs


async def test_a_stream_ends_with_its_reason_and_the_tokens_if_they_are_asked_for() -> None:
    chunks = await ask(instant(), stream=True, stream_options={"include_usage": True})
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks if chunk["choices"]]
    assert deltas[0] == {"role": "assistant", "content": ""}
    assert (
        "".join(delta.get("content", "") for delta in deltas) == "The capital of France is Paris."
    )
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks[:-1]] == [None] * 4 + ["stop"]
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["completion_tokens"] == 3
    without = await ask(instant(), stream=True)
    assert "usage" not in without[-1]


async def test_a_tool_is_called_whole_and_streamed() -> None:
    stage = instant(tool_call=ToolCall("call_1", "time", '{"zone": "CET"}'))
    call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "time", "arguments": '{"zone": "CET"}'},
    }
    (choice,) = (await ask(stage, tools=[TOOL]))["choices"]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"] == {"role": "assistant", "content": None, "tool_calls": [call]}
    chunks = await ask(stage, tools=[TOOL], stream=True)
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks[1:-1]]
    ((first,), *rest) = [delta["tool_calls"] for delta in deltas]
    begun = {**call, "function": {"name": "time", "arguments": '{"zon'}}
    assert first == {"index": 0, **begun}
    pieces = [part["function"].pop("arguments") for (part,) in rest]
    assert [part for (part,) in rest] == [{"index": 0, "function": {}}] * 2
    assert "".join(['{"zon', *pieces]) == '{"zone": "CET"}'
    assert stage.prompts[0].tools == (
        Tool("time", "The time.", {"type": "object", "properties": {}}),
    )


async def test_what_the_model_is_asked() -> None:
    stage = instant()
    call = {"id": "c1", "type": "function", "function": {"name": "time", "arguments": "{}"}}
    await ask(
        stage,
        messages=[
            {"role": "developer", "content": "Be brief."},
            {
                "role": "user",
                "content": [{"type": "text", "text": "What"}, {"type": "text", "text": "time?"}],
            },
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "content": "Noon.", "tool_call_id": "c1"},
        ],
        tools=[TOOL],
        tool_choice="none",
        max_completion_tokens=7,
        temperature=0.5,
        top_p=0.3,
        seed=9,
        stop="\n",
    )
    (request,) = stage.prompts
    assert request.messages == (
        Message("system", "Be brief."),
        Message("user", "What\ntime?"),
        Message("assistant", "", (ToolCall("c1", "time", "{}"),)),
        Message("tool", "Noon.", (), "c1"),
    )
    assert (request.max_tokens, request.temperature, request.top_p) == (7, 0.5, 0.3)
    assert (request.seed, request.stop, request.tools) == (9, ("\n",), ())


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"messages": []}, "messages"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
            "messages[0].content[0].type",
        ),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id"),
        ({"n": 2}, "n"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"response_format": {"type": "json_object"}}, "response_format.type"),
        ({"logprobs": True}, "logprobs"),
    ],
)
async def test_what_the_model_cannot_do_is_refused(body: dict[str, Any], param: str) -> None:
    stage = instant()
    async with client_of(server_on(stage)) as client:
        request = {"messages": [HELLO], **body}
        response = await client.post("/v1/chat/completions", json=request)
        assert response.status == 400
        assert (await response.json())["error"]["param"] == param
    assert not stage.llm.jobs


class _BreaksOff(Stage):
    """A model that fails in the midst of its answer."""

    def _llm(self, request: ChatRequest | Forget) -> list[tuple[float, Any]]:
        if isinstance(request, Forget):
            return []
        return [
            (0.0, TextDelta("The ")),
            (0.0, EngineError("llm failed.")),
            (0.0, Completion("stop")),
        ]


async def test_a_failure_half_way_is_the_last_event() -> None:
    async with client_of(server_on(_BreaksOff())) as client:
        request = {"messages": [HELLO], "stream": True}
        response = await client.post("/v1/chat/completions", json=request)
        assert response.status == 200
        events = [line for line in (await response.text()).split("\n\n") if line]
    assert json.loads(events[-1].removeprefix("data: "))["error"]["code"] == "engine_error"
