"""The stock `openai` client holds a conversation with the server; every event fits its schema."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import numpy as np
from openai import AsyncOpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter

from evaluation.caller import FRAME_SECONDS, RATE_HZ
from evaluation.language_check import guess_languages
from evaluation.recording import Microphone
from evaluation.server_process import RunningServer
from evaluation.speech import synthesize

Event = dict[str, Any]
SCHEMA: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)

SESSION: Event = {
    "type": "realtime",
    "output_modalities": ["audio"],
    "audio": {
        "input": {
            "format": {"type": "audio/pcm", "rate": RATE_HZ},
            "transcription": {"model": "whisper-1"},
            "turn_detection": {"type": "server_vad", "silence_duration_ms": 400},
        },
        "output": {"format": {"type": "audio/pcm", "rate": RATE_HZ}},
    },
}


@asynccontextmanager
async def talking(
    server: RunningServer, session: Event
) -> AsyncIterator[tuple[AsyncRealtimeConnection, Microphone]]:
    """A call of the stock client with these settings, and its microphone, which is open."""
    microphone = Microphone(RATE_HZ)
    client = AsyncOpenAI(
        api_key="not asked for",
        base_url=f"{server.http_url}/v1",
        websocket_base_url=f"ws://127.0.0.1:{server.port}/v1",
    )
    async with client, client.realtime.connect(model="tinig") as connection:
        await receive_until(connection, "session.created")
        await connection.session.update(session=session)  # type: ignore[arg-type]
        await receive_until(connection, "session.updated")
        async with asyncio.TaskGroup() as tasks:
            line = tasks.create_task(stream(connection, microphone), name="microphone")
            yield connection, microphone
            line.cancel()


async def stream(connection: AsyncRealtimeConnection, microphone: Microphone) -> None:
    """Send the microphone's frames in real time, for ever."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for index in count(1):
        await asyncio.sleep(begun + index * FRAME_SECONDS - loop.time())
        frame = microphone.take(round(FRAME_SECONDS * RATE_HZ))
        audio = base64.b64encode(frame.tobytes()).decode()
        await connection.input_audio_buffer.append(audio=audio)


async def receive_until(connection: AsyncRealtimeConnection, last: str) -> list[Event]:
    """The events up to one of type `last`, each checked against the client's own schema."""
    events: list[Event] = []
    while not events or events[-1]["type"] != last:
        event: Event = json.loads(await connection.recv_bytes())
        assert event["type"] != "error", event
        SCHEMA.validate_python(event)
        events.append(event)
    return events


async def take_turn(
    connection: AsyncRealtimeConnection, microphone: Microphone, text: str
) -> list[Event]:
    """Say something and receive all events of the turn."""
    microphone.speak(synthesize(text, "en", RATE_HZ))
    return await receive_until(connection, "response.done")


def only(events: Sequence[Event], kind: str) -> Event:
    """The one event of this type."""
    (event,) = [event for event in events if event["type"] == kind]
    return event


def audio_of(events: Sequence[Event]) -> np.ndarray[Any, np.dtype[np.int16]]:
    """All the audio of an answer."""
    deltas = [event["delta"] for event in events if event["type"] == "response.output_audio.delta"]
    return np.frombuffer(b"".join(base64.b64decode(delta) for delta in deltas), dtype="<i2")


def assert_is_whole(events: Sequence[Event]) -> None:
    """A turn has every step of the protocol, in order, and its parts agree with each other."""
    kinds = [event["type"] for event in events if not event["type"].endswith(".delta")]
    steps = [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "response.created",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.done",
    ]
    assert [kind for kind in kinds if kind in steps] == steps
    done = only(events, "response.done")["response"]
    assert done["status"] == "completed"
    said = only(events, "response.output_audio_transcript.done")["transcript"]
    assert done["output"][0]["content"][0]["transcript"] == said
    transcribed = only(events, "conversation.item.input_audio_transcription.completed")
    assert transcribed["item_id"] == only(events, "input_audio_buffer.committed")["item_id"]


async def test_two_turns_with_the_stock_client(running_server: RunningServer) -> None:
    async with talking(running_server, SESSION) as (connection, microphone):
        first = await take_turn(connection, microphone, "My name is Maria.")
        await asyncio.sleep(len(audio_of(first)) / RATE_HZ)  # hear it out
        second = await take_turn(connection, microphone, "What is my name?")
    for events in (first, second):
        assert_is_whole(events)
        assert np.abs(audio_of(events).astype(np.int32)).max() > 1_000
        heard = only(events, "conversation.item.input_audio_transcription.completed")
        assert heard["languages"] == [{"code": "en"}]
        said = only(events, "response.output_audio_transcript.done")["transcript"]
        assert guess_languages(said) == {"en"}
