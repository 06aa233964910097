"""The OpenAI Realtime protocol over a real WebSocket, on scripted engines."""

import base64
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engines.errors import EngineError, Overloaded
from engines.llm import Completion, TextDelta, ToolCall, ToolCallDelta
from server.app import Server
from server.config import Config, ConversationConfig
from server.g711 import decode_a_law, decode_mu_law
from server.language.languages import Phrase, phrase
from server.protocol.realtime_table import SERVER_EVENTS
from tests.fakes import Stage
from tests.server.protocol.wire import (
    RATE_HZ,
    SILENCE,
    SPEECH,
    Call,
    Client,
    MakeClient,
    calling,
    encoded,
    sound,
)

ANSWER = "The capital of France is Paris."
TOOL = {"type": "function", "name": "book", "description": "Books.", "parameters": {}}
TEXT = {"output_modalities": ["text"]}


@pytest.fixture
def stage() -> Stage:
    return Stage(speech_seconds_per_character=0.01, stt_seconds=0.0)


@pytest.fixture
async def client(stage: Stage, aiohttp_client: MakeClient) -> Client:
    config = replace(Config(), conversation=ConversationConfig(partial_interval_seconds=0.1))
    return await aiohttp_client(Server(config, stage.engines).application())


async def speak(call: Call) -> None:
    """A turn of the caller's, heard as they speak."""
    for _ in range(12):
        await call.pour(SPEECH, 0.2)
        await call.update()  # the engines come to their turn in between
    await call.pour(SILENCE, 1.0)


async def test_every_event_of_the_table_is_sent_and_is_valid(client: Client, stage: Stage) -> None:
    async with calling(client) as call:
        await call.update(audio={"input": {"turn_detection": {"idle_timeout_ms": 2000}}})
        await speak(call)
        await call.until("response.done")
        (item_id,) = {event["item_id"] for event in call.of("response.output_audio.delta")}
        await call.send(
            "conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=1
        )
        await call.until("conversation.item.truncated")
        await call.send("conversation.item.retrieve", item_id=item_id)
        await call.until("conversation.item.retrieved")
        await call.send("conversation.item.delete", item_id=item_id)
        await call.until("conversation.item.deleted")
        await call.send("input_audio_buffer.clear")
        await call.until("input_audio_buffer.cleared")
        await call.pour(SILENCE, 3.0)
        await call.until("input_audio_buffer.timeout_triggered")
        await call.until("response.done")
        await call.update(tools=[TOOL], **TEXT)
        stage.tool_call = ToolCall("call_1", "book", "{}")
        await call.send("response.create")
        await call.until("response.done")
        stage.tool_call, stage.stt_error = None, Overloaded("Full.")
        await call.send("response.create")
        await call.until("response.done")
        await call.pour(SPEECH, 1.0)
        await call.pour(SILENCE, 1.0)
        await call.until("conversation.item.input_audio_transcription.failed")
        assert (await call.refusal("response.create", response={"voice": 1}))["code"]
    assert {event["type"] for event in call.received} == set(SERVER_EVENTS)


async def test_items_come_in_the_order_that_was_asked_for(client: Client, stage: Stage) -> None:
    async with calling(client) as call:
        await call.update(**TEXT)
        await call.write("second", "b")
        content = [{"type": "input_text", "text": "first"}]
        message = {"type": "message", "role": "user", "id": "a", "content": content}
        await call.send("conversation.item.create", item=message, previous_item_id="root")
        assert (await call.until("conversation.item.done"))["previous_item_id"] is None
        message = {**message, "id": "c", "content": [{"type": "input_text", "text": "between"}]}
        await call.send("conversation.item.create", item=message, previous_item_id="a")
        assert (await call.until("conversation.item.done"))["previous_item_id"] == "a"
        added = await call.write("last", "d")
        assert added["previous_item_id"] == "b"
        await call.send("conversation.item.delete", item_id="d")
        await call.until("conversation.item.deleted")
        assert (await call.write("end", "e"))["previous_item_id"] == "b"
        await call.send("response.create")
        await call.until("response.done")
    assert stage.prompts[0].messages[-1].content == "first between second end"


async def test_an_item_is_retrieved_as_it_stands(client: Client) -> None:
    async with calling(client) as call:
        await call.pour(SPEECH, 1.0)
        await call.pour(SILENCE, 1.0)
        started = await call.until("response.output_item.added")
        item_id = started["item"]["id"]
        await call.until("response.done")
        cut = {"item_id": item_id, "content_index": 0, "audio_end_ms": 120}
        await call.send("conversation.item.truncate", **cut)
        await call.send("conversation.item.retrieve", item_id=item_id)
        (answer,) = (await call.until("conversation.item.retrieved"))["item"]["content"]
        assert answer["transcript"] == "The capital"
        assert seconds_of(answer["audio"]) == 0.12  # what was heard
        spoken = call.of("input_audio_buffer.committed")[0]["item_id"]
        await call.send("conversation.item.retrieve", item_id=spoken)
        (said,) = (await call.until("conversation.item.retrieved"))["item"]["content"]
        assert said["transcript"] == "What is the capital of France?"
        heard = np.frombuffer(base64.b64decode(said["audio"]), dtype="<i2")
        assert 1.0 <= len(heard) / RATE_HZ < 2.5  # with the silence at its ends
        assert np.median(heard[: RATE_HZ // 2]) == pytest.approx(SPEECH, rel=0.01)


def seconds_of(audio: str) -> float:
    """How long this PCM16 at 24 kHz plays."""
    return len(base64.b64decode(audio)) / 2 / RATE_HZ


async def test_only_the_newest_sound_is_kept(stage: Stage, aiohttp_client: MakeClient) -> None:
    config = replace(Config(), conversation=ConversationConfig(kept_audio_seconds=2.0))
    client = await aiohttp_client(Server(config, stage.engines).application())
    recordings = {"a": 1.0, "b": 1.5, "c": 2.5}
    kept: dict[str, list[float]] = {}
    async with calling(client) as call:
        for newest, seconds in recordings.items():
            audio = {"type": "input_audio", "audio": encoded(SPEECH, seconds)}
            await call.add(type="message", role="user", id=newest, content=[audio])
            kept[newest] = []
            for item_id in [key for key in recordings if key <= newest]:
                await call.send("conversation.item.retrieve", item_id=item_id)
                (part,) = (await call.until("conversation.item.retrieved"))["item"]["content"]
                kept[newest] += [seconds_of(part["audio"])] if "audio" in part else []
    assert kept == {"a": [1.0], "b": [1.5], "c": []}  # "c" is too long by itself


async def test_a_recording_as_an_item_is_transcribed(client: Client, stage: Stage) -> None:
    audio = {"type": "input_audio", "audio": encoded(SPEECH, 1.0)}
    typed = {"type": "input_text", "text": "Listen:"}
    async with calling(client) as call:
        await call.update(**TEXT)
        added = await call.add(type="message", role="user", id="a", content=[typed, audio])
        assert added["item"]["content"] == [{"type": "input_audio", "transcript": None}]
        heard = "Listen: What is the capital of France?"
        completed = "conversation.item.input_audio_transcription.completed"
        assert (await call.until(completed))["transcript"] == heard
        await call.send("response.create")
        await call.until("response.done")
    assert len(stage.stt.jobs[0].request.samples) == 16_000
    assert stage.prompts[0].messages[-1].content == heard


async def test_a_recording_holds_up_nothing_but_the_answer_to_it(
    client: Client, stage: Stage
) -> None:
    stage.stt_seconds = 0.5
    audio = {"type": "input_audio", "audio": encoded(SPEECH, 1.0)}
    async with calling(client) as call:
        await call.update(**TEXT)
        await call.add(type="message", role="user", id="a", content=[audio])
        await call.write("And mine?", "b")
        await call.send("response.create")
        await call.until("response.created")
        await call.update(instructions="Be kind.")
        assert not call.of("conversation.item.input_audio_transcription.completed")
        await call.until("conversation.item.input_audio_transcription.completed")
        await call.until("response.done")
    said = "What is the capital of France? And mine?"
    assert stage.prompts[0].messages[-1].content == said


@pytest.mark.parametrize("beside", [False, True])
async def test_a_recording_in_a_responses_own_input_is_heard(
    client: Client, stage: Stage, *, beside: bool
) -> None:
    stage.stt_seconds = 0.2
    audio = {"type": "input_audio", "audio": encoded(SPEECH, 1.0)}
    message = {"type": "message", "role": "user", "content": [audio]}
    response = {"input": [message], "conversation": "none" if beside else "auto", **TEXT}
    async with calling(client) as call:
        await call.send("response.create", response=response)
        await call.update()
        assert not stage.prompts
        await call.until("response.done")
    assert stage.prompts[0].messages[-1].content == "What is the capital of France?"


async def test_an_answer_that_waits_for_a_recording_can_be_cancelled(
    client: Client, stage: Stage
) -> None:
    stage.stt_seconds = 0.5
    audio = {"type": "input_audio", "audio": encoded(SPEECH, 1.0)}
    async with calling(client) as call:
        await call.add(type="message", role="user", id="a", content=[audio])
        await call.send("response.create")
        await call.until("response.created")
        await call.send("response.cancel")
        assert (await call.until("response.done"))["response"]["status"] == "cancelled"
        await call.until("conversation.item.input_audio_transcription.completed")
    assert not stage.prompts


@pytest.mark.parametrize("transcription", [{"model": "whisper-1"}, None])
async def test_a_recording_that_cannot_be_heard_is_told(
    client: Client, stage: Stage, transcription: dict[str, str] | None
) -> None:
    stage.stt_error = Overloaded("Full.")
    audio = {"type": "input_audio", "audio": encoded(SPEECH, 1.0)}
    async with calling(client) as call:
        await call.update(audio={"input": {"transcription": transcription}}, **TEXT)
        await call.add(type="message", role="user", id="a", content=[audio])
        if transcription:
            told = await call.until("conversation.item.input_audio_transcription.failed")
        else:
            told = await call.until("error")
        assert told["error"]["code"] == "overloaded"
        await call.send("response.create")
        assert (await call.until("response.done"))["response"]["status"] == "completed"


@pytest.mark.parametrize(
    ("kind", "fields", "code"),
    [
        ("conversation.item.retrieve", {"item_id": "x"}, "item_retrieve_invalid_item_id"),
        ("conversation.item.delete", {"item_id": "x"}, "item_delete_invalid_item_id"),
        ("conversation.item.truncate", {"item_id": "x", "audio_end_ms": 1}, "item_truncate_inv"),
        (
            "conversation.item.create",
            {
                "item": {"type": "function_call", "name": "f", "arguments": "{}"},
                "previous_item_id": "x",
            },
            "item_create_invalid_item_id",
        ),
        (
            "conversation.item.create",
            {"item": {"type": "function_call_output", "call_id": "x", "output": ""}},
            "invalid_value",
        ),
        (
            "conversation.item.create",
            {"item": {"type": "message", "role": "user", "content": [{"type": "input_image"}]}},
            "invalid_value",
        ),
        ("response.cancel", {}, "response_cancel_not_active"),
        ("response.cancel", {"response_id": "x"}, "response_cancel_not_active"),
        ("input_audio_buffer.commit", {}, "input_audio_buffer_commit_empty"),
        ("response.create", {"response": {"input": [{"type": "item_reference", "id": "x"}]}}, ""),
        ("response.create", {"response": {"metadata": {"a": 1}}}, "invalid_value"),
        ("response.create", {"response": {"speed": 1}}, "unknown_parameter"),
        ("session.update", {"session": {"tool_choice": {"type": "function", "name": "x"}}}, ""),
    ],
)
async def test_what_is_refused_is_named(
    client: Client, kind: str, fields: dict[str, Any], code: str
) -> None:
    async with calling(client) as call:
        error = await call.refusal(kind, **fields)
        assert error["code"].startswith(code)
        assert error["type"] == "invalid_request_error"
        await call.update()  # it lives on


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


async def test_a_transcription_session_is_never_answered(client: Client, stage: Stage) -> None:
    async with calling(client, "intent=transcription") as call:
        created = call.received[0]["session"]
        assert created["type"] == "transcription"
        assert "output" not in created["audio"]
        error = await call.refusal("session.update", session={"instructions": "Sing."})
        assert error["code"] == "unknown_parameter"
        told = await call.update(audio={"input": {"transcription": {"language": "es"}}})
        assert told["audio"]["input"]["transcription"]["language"] == "es"
        await speak(call)
        await call.until("conversation.item.input_audio_transcription.completed")
        assert (await call.refusal("response.create"))["code"] == "invalid_value"
    assert call.of("conversation.item.input_audio_transcription.delta")
    assert not call.of("response.created")
    assert not stage.prompts


async def test_a_session_becomes_one_of_transcription(client: Client) -> None:
    async with calling(client) as call:
        assert (await call.update(type="transcription"))["type"] == "transcription"


@pytest.mark.parametrize(
    "detection",
    [
        {
            "type": "server_vad",
            "threshold": 0.6,
            "prefix_padding_ms": 200,
            "silence_duration_ms": 400,
            "idle_timeout_ms": 6000,
            "create_response": False,
            "interrupt_response": False,
        },
        {
            "type": "semantic_vad",
            "eagerness": "low",
            "create_response": True,
            "interrupt_response": True,
        },
        None,
    ],
    ids=["server_vad", "semantic_vad", "null"],
)
async def test_turn_detection_is_echoed_whole(client: Client, detection: Any) -> None:
    async with calling(client) as call:
        told = await call.update(audio={"input": {"turn_detection": detection}})
        assert told["audio"]["input"]["turn_detection"] == detection


async def test_the_whole_configuration_is_echoed(client: Client) -> None:
    async with calling(client) as call:
        told = await call.update()
    assert set(told) >= {
        "type",
        "id",
        "model",
        "instructions",
        "output_modalities",
        "tools",
        "tool_choice",
        "max_output_tokens",
    }
    assert told["audio"]["input"]["turn_detection"] == {
        "type": "server_vad",
        "create_response": True,
        "interrupt_response": True,
        "threshold": 0.5,
        "prefix_padding_ms": 300,
        "silence_duration_ms": 500,
        "idle_timeout_ms": None,
    }
    assert told["audio"]["output"]["format"] == {"type": "audio/pcm", "rate": 24_000}


@pytest.mark.parametrize("kind", ["realtime", "transcription"])
async def test_what_is_echoed_can_be_sent_back(client: Client, kind: str) -> None:
    async with calling(client) as call:
        told = await call.update(type=kind, tinig={"events": ["turn"]})
        assert {**await call.update(**told), "expires_at": 0} == {**told, "expires_at": 0}


@pytest.mark.parametrize(
    ("kind", "silence", "decode"),
    [("audio/pcmu", b"\xff", decode_mu_law), ("audio/pcma", b"\xd5", decode_a_law)],
)
async def test_the_telephones_formats_both_ways(
    client: Client, stage: Stage, kind: str, silence: bytes, decode: Any
) -> None:
    speech = b"\x80" if kind == "audio/pcmu" else b"\xaa"
    audio = {"format": {"type": kind}}
    async with calling(client) as call:
        told = await call.update(audio={"input": audio, "output": audio})
        assert told["audio"]["output"]["format"] == {"type": kind}
        for byte, seconds in ((speech, 1), (silence, 1)):
            data = base64.b64encode(byte * 8000 * seconds).decode()
            await call.send("input_audio_buffer.append", audio=data)
        await call.until("response.done")
    deltas = call.of("response.output_audio.delta")
    samples = decode(b"".join(base64.b64decode(event["delta"]) for event in deltas))
    assert len(samples) == pytest.approx(len(ANSWER) * 0.01 * 8000, rel=0.05)
    assert float(np.median(samples)) == pytest.approx(8000 / 32768, rel=0.05)


async def test_binary_audio_for_who_asks_for_it(client: Client) -> None:
    async with calling(client) as call:
        await call.socket.send_bytes(sound(SPEECH, 0.1))
        assert (await call.until("error"))["error"]["code"] == "invalid_message_type"
        told = await call.update(tinig={"binary_audio": True, "events": ["state"]})
        assert told["tinig"] == {
            "binary_audio": True,
            "events": ["state"],
            "languages": None,
        }
        await call.socket.send_bytes(sound(SPEECH, 1.0))
        await call.socket.send_bytes(sound(SILENCE, 1.0))
        await call.until("response.done")
    assert not call.of("response.output_audio.delta")
    samples = np.frombuffer(b"".join(call.binary), dtype="<i2")
    assert len(samples) == pytest.approx(len(ANSWER) * 0.01 * 24_000, rel=0.05)
    assert call.of("response.output_audio.done")
