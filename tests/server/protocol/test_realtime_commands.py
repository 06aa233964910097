"""What clients send, well formed and not."""

import base64
import json
from typing import Any

import numpy as np
import pytest

from engines.errors import ProtocolError
from server.commands import AppendAudio, CancelResponse, CreateItem, TruncateItem, UpdateSettings
from server.items import FunctionOutputItem, MessageItem
from server.protocol.realtime_commands import Decoder, event_id_of
from server.settings import Settings, TurnDetection

LANGUAGES = ("en", "es", "fr", "hi", "tl")


def decode(**message: Any) -> Any:
    return Decoder(Settings(), LANGUAGES).decode(json.dumps(message))


def update(**session: Any) -> Settings:
    command = decode(type="session.update", session={"type": "realtime", **session})
    assert isinstance(command, UpdateSettings)
    return command.settings


def audio_input(**fields: Any) -> Settings:
    return update(audio={"input": fields})


def test_audio_is_decoded() -> None:
    pcm = np.array([0, 16384, -32768], dtype="<i2").tobytes()
    command = decode(type="input_audio_buffer.append", audio=base64.b64encode(pcm).decode())
    assert isinstance(command, AppendAudio)
    assert command.samples.tolist() == [0.0, 0.5, -1.0]


def test_an_update_changes_what_it_names_and_keeps_the_rest() -> None:
    decoder = Decoder(Settings(instructions="Be kind."), LANGUAGES)
    for session in ({"audio": {"output": {"speed": 1.2}}}, {"output_modalities": ["text"]}):
        command = decoder.decode(json.dumps({"type": "session.update", "session": session}))
    assert isinstance(command, UpdateSettings)
    assert command.settings.speed == 1.2
    assert command.settings.output_modality == "text"
    assert command.settings.instructions == "Be kind."


def test_a_rate_is_a_whole_number_however_it_is_written() -> None:
    rate_hz = audio_input(format={"type": "audio/pcm", "rate": 16000.0}).input_format.rate_hz
    assert (rate_hz, type(rate_hz)) == (16_000, int)


def test_turn_detection_in_full_and_null() -> None:
    wire = {"type": "server_vad", "threshold": 0.7, "silence_duration_ms": 300}
    detection = audio_input(turn_detection=wire).turn_detection
    assert detection == TurnDetection(threshold=0.7, silence_duration_ms=300)
    assert audio_input(turn_detection=None).turn_detection is None


def test_transcription_language_and_null() -> None:
    assert audio_input(transcription={"language": "hi"}).transcription_language == "hi"
    assert audio_input(transcription=None).transcription is False


def test_tools() -> None:
    tool = {"type": "function", "name": "book", "parameters": {"type": "object"}}
    assert update(tools=[tool]).tools[0].name == "book"


def test_items_and_responses() -> None:
    content = [{"type": "input_text", "text": "Hello"}]
    message = {"type": "message", "role": "user", "content": content, "id": "item_1"}
    command = decode(type="conversation.item.create", item=message)
    assert command == CreateItem(MessageItem("item_1", "user", "Hello"))
    output = {"type": "function_call_output", "call_id": "c", "output": "ok", "id": "item_2"}
    command = decode(type="conversation.item.create", item=output)
    assert command == CreateItem(FunctionOutputItem("item_2", "c", "ok"))
    assert decode(type="response.cancel", response_id="r") == CancelResponse("r")
    truncate = {"item_id": "item_1", "content_index": 0, "audio_end_ms": 300}
    assert decode(type="conversation.item.truncate", **truncate) == TruncateItem("item_1", 300)


@pytest.mark.parametrize(
    ("message", "code", "param"),
    [
        ("{", "invalid_json", None),
        ("[" * 100_000, "invalid_json", None),
        ("[]", "invalid_value", ""),
        ("{}", "missing_required_parameter", "type"),
        ('{"type": 3}', "invalid_value", "type"),
        ('{"type": "session.explode"}', "invalid_value", "type"),
        ('{"type": "input_audio_buffer.append"}', "missing_required_parameter", "audio"),
        ('{"type": "input_audio_buffer.append", "audio": "*"}', "invalid_value", "audio"),
        ('{"type": "input_audio_buffer.append", "audio": "AAA="}', None, None),
        ('{"type": "input_audio_buffer.append", "audio": "AA=="}', "invalid_audio", None),
        ('{"type": "session.update", "session": []}', "invalid_value", "session"),
        ('{"type": "session.update", "session": {"x": 1}}', "unknown_parameter", "session.x"),
    ],
)
def test_what_is_wrong_is_named(message: str, code: str | None, param: str | None) -> None:
    decoder = Decoder(Settings(), LANGUAGES)
    if code is None:
        decoder.decode(message)
        return
    with pytest.raises(ProtocolError) as raised:
        decoder.decode(message)
    assert (raised.value.code, raised.value.param) == (code, param)


@pytest.mark.parametrize(
    ("session", "param"),
    [
        ({"type": "video"}, "session.type"),
        ({"output_modalities": ["smell"]}, "session.output_modalities"),
        ({"max_output_tokens": 0}, "session.max_output_tokens"),
        ({"instructions": None}, "session.instructions"),
        ({"tools": [{"type": "mcp"}]}, "session.tools[0].type"),
        ({"tools": "all"}, "session.tools"),
        ({"tinig": {"events": ["secrets"]}}, "session.tinig.events"),
        ({"audio": {"output": {"speed": 9}}}, "session.audio.output.speed"),
        ({"audio": {"output": {"speed": True}}}, "session.audio.output.speed"),
        (
            {"audio": {"input": {"format": {"type": "audio/mp3"}}}},
            "session.audio.input.format.type",
        ),
        (
            {"audio": {"input": {"format": {"type": "audio/pcm", "rate": 44100}}}},
            "session.audio.input.format.rate",
        ),
        (
            {"audio": {"input": {"transcription": {"language": "xx"}}}},
            "session.audio.input.transcription.language",
        ),
        (
            {"audio": {"input": {"turn_detection": {"type": "server_vad", "threshold": 2}}}},
            "session.audio.input.turn_detection.threshold",
        ),
    ],
)
def test_a_wrong_session_is_refused_by_field(session: dict[str, Any], param: str) -> None:
    with pytest.raises(ProtocolError) as raised:
        update(**session)
    assert raised.value.param == param


def tool(characters: int) -> dict[str, Any]:
    return {"type": "function", "name": "book", "parameters": {"title": "a" * characters}}


@pytest.mark.parametrize(
    ("session", "param"),
    [
        ({"instructions": "a" * 65_537}, "instructions"),
        ({"tools": [tool(33_000), tool(33_000)]}, "tools"),
        ({"tools": [tool(40_000)], "instructions": "a" * 30_000}, "tools"),
        ({"tools": [tool(30_000)], "instructions": "a" * 40_000}, "instructions"),
    ],
)
def test_instructions_and_tools_have_a_longest_length(session: dict[str, Any], param: str) -> None:
    for event, name in (("session.update", "session"), ("response.create", "response")):
        with pytest.raises(ProtocolError, match="65536 characters") as raised:
            decode(**{"type": event, name: session})
        assert (raised.value.code, raised.value.param) == ("invalid_value", f"{name}.{param}")


def test_the_longest_instructions_are_taken_and_tools_then_not() -> None:
    settings = update(instructions="a" * 65_536)
    decoder = Decoder(settings, LANGUAGES)
    with pytest.raises(ProtocolError) as raised:
        decoder.decode(json.dumps({"type": "session.update", "session": {"tools": [tool(1)]}}))
    assert raised.value.param == "session.tools"


def test_an_update_that_fails_changes_nothing() -> None:
    decoder = Decoder(Settings(), LANGUAGES)
    wrong = {"instructions": "New.", "max_output_tokens": 0}
    with pytest.raises(ProtocolError):
        decoder.decode(json.dumps({"type": "session.update", "session": wrong}))
    command = decoder.decode(json.dumps({"type": "session.update", "session": {}}))
    assert command == UpdateSettings(Settings())


def test_the_clients_event_id_is_found() -> None:
    assert event_id_of('{"event_id": "e1", "type": "x"}') == "e1"
    assert event_id_of('{"event_id": 3}') is None
    assert event_id_of("nonsense") is None
