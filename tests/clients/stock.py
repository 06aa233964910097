"""Stock clients against the real server and its starter models: `make clients`.

Each holds a conversation of two turns, the second of which interrupts the first answer, and then
has its tool called and hears the result. Not collected by `make test`, which installs no clients.
"""

import asyncio
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from openai.resources.realtime.realtime import AsyncRealtimeConnection

from evaluation.caller import RATE_HZ
from evaluation.recording import Microphone
from evaluation.server_process import RunningServer
from evaluation.speech import synthesize
from tests.clients import installed
from tests.clients.test_openai_realtime import SESSION, only, receive_until, talking

pytestmark = pytest.mark.timeout(600)  # the first time, it installs them

Told = dict[str, Any]

QUESTION = "What are the hours of the clinic?"
INTERRUPTION = "What is the phone number of the clinic?"
BOOKING = "Book the dentist for Monday at ten."
SPEECH = {"question": QUESTION, "interruption": INTERRUPTION, "booking": BOOKING}
PARAMETERS = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("day", "hour", "service")},
}
BOOK = {
    "type": "function",
    "name": "book_appointment",
    "description": "Books an appointment at the clinic.",
    "parameters": PARAMETERS,
}


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the caller says, as PCM16 at 24 kHz."""
    folder = tmp_path_factory.mktemp("speech")
    for name, text in SPEECH.items():
        (folder / f"{name}.pcm").write_bytes(synthesize(text, "en", RATE_HZ).tobytes())
    return folder


def converse(command: Sequence[str], server: RunningServer, speech: Path) -> Told:
    """Run a client to its end; what it told on its last line."""
    arguments = [*command, server.realtime_url, str(speech)]
    client = subprocess.run(arguments, capture_output=True, text=True, timeout=240, check=False)
    assert client.stdout, client.stderr
    told: Told = json.loads(client.stdout.splitlines()[-1])
    assert not told["errors"], (told, client.stderr)
    assert client.returncode == 0
    return told


def assert_was_a_conversation(told: Told) -> None:
    """Everything was heard, the first answer was cut, the tool was called and its result spoken."""
    assert told["heard"] == list(SPEECH.values())
    assert told["interruptions"]
    (arguments,) = told["calls"]
    assert arguments["day"] == "Monday"
    said = " ".join(told["said"])
    assert "From Monday" in said
    assert "on Saturday from eight to twelve" not in said, "the first answer was not cut"
    assert "five five five" in said
    assert "appointment" in said


def test_agents(running_server: RunningServer, speech: Path) -> None:
    told = converse(installed.agents(), running_server, speech)
    assert_was_a_conversation(told)
    assert "conversation.item.truncated" in told["events"]  # it says what it has played


def test_pipecat(running_server: RunningServer, speech: Path) -> None:
    client = installed.HERE / "pipecat" / "client.py"
    told = converse([str(installed.pipecat()), str(client)], running_server, speech)
    assert_was_a_conversation(told)


async def test_openai(running_server: RunningServer) -> None:
    async with talking(running_server, {**SESSION, "tools": [BOOK]}) as (connection, microphone):
        told = await _converse(connection, microphone)
    assert_was_a_conversation(told)


async def _converse(connection: AsyncRealtimeConnection, microphone: Microphone) -> Told:
    """The same conversation as the other clients hold."""
    microphone.speak(synthesize(QUESTION, "en", RATE_HZ))
    events = await receive_until(connection, "response.output_audio.delta")
    await asyncio.sleep(0.5)
    microphone.speak(synthesize(INTERRUPTION, "en", RATE_HZ))
    events += await receive_until(connection, "response.done")
    assert events[-1]["response"]["status_details"]["reason"] == "turn_detected"
    events += await receive_until(connection, "response.done")
    await asyncio.sleep(2.0)  # hear it out
    microphone.speak(synthesize(BOOKING, "en", RATE_HZ))
    booking = await receive_until(connection, "response.done")
    call = only(booking, "response.function_call_arguments.done")
    output = {"type": "function_call_output", "call_id": call["call_id"], "output": "confirmed"}
    await connection.conversation.item.create(item=output)  # type: ignore[arg-type]
    await connection.response.create()
    events += [*booking, *await receive_until(connection, "response.done")]
    kind = "conversation.item.input_audio_transcription.completed"
    deltas = [e for e in events if e["type"] == "response.output_audio_transcript.delta"]
    return {
        "heard": [event["transcript"] for event in events if event["type"] == kind],
        "said": ["".join(event["delta"] for event in deltas)],
        "interruptions": len([e for e in events if e["type"] == "response.done"]) - 3,
        "calls": [json.loads(call["arguments"])],
    }
