"""Items of a conversation over a real WebSocket: order, recordings, what is kept of them."""

import base64
from dataclasses import replace

import numpy as np
import pytest

from engines.errors import Overloaded
from server.app import Server
from server.config import Config, ConversationConfig
from tests.fakes import Stage
from tests.server.protocol.wire import (
    RATE_HZ,
    SILENCE,
    SPEECH,
    TEXT,
    Client,
    MakeClient,
    calling,
    encoded,
)


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
