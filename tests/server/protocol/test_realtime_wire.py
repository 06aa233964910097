"""The OpenAI Realtime protocol over a real WebSocket: events, sessions, formats."""

import base64
from typing import Any

import numpy as np
import pytest

from engines.errors import Overloaded
from engines.llm import ToolCall
from server.g711 import decode_a_law, decode_mu_law
from server.protocol.realtime_table import SERVER_EVENTS
from tests.fakes import Stage
from tests.server.protocol.wire import (
    ANSWER,
    SILENCE,
    SPEECH,
    TEXT,
    TOOL,
    Client,
    calling,
    sound,
    speak,
)


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


@pytest.mark.parametrize(
    ("kind", "fields", "code"),
    [
        ("conversation.item.retrieve", {"item_id": "x"}, "item_retrieve_invalid_item_id"),
        ("conversation.item.delete", {"item_id": "x"}, "item_delete_invalid_item_id"),
        (
            "conversation.item.truncate",
            {"item_id": "x", "audio_end_ms": 1},
            "item_truncate_invalid_item_id",
        ),
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
        (
            "response.create",
            {"response": {"input": [{"type": "item_reference", "id": "x"}]}},
            "item_retrieve_invalid_item_id",
        ),
        ("response.create", {"response": {"metadata": {"a": 1}}}, "invalid_value"),
        ("response.create", {"response": {"speed": 1}}, "unknown_parameter"),
        (
            "session.update",
            {"session": {"tool_choice": {"type": "function", "name": "x"}}},
            "invalid_value",
        ),
    ],
)
async def test_what_is_refused_is_named(
    client: Client, kind: str, fields: dict[str, Any], code: str
) -> None:
    async with calling(client) as call:
        error = await call.refusal(kind, **fields)
        assert error["code"] == code
        assert error["type"] == "invalid_request_error"
        await call.update()  # it lives on


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
