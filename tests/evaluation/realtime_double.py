"""A stand-in for the server: answers every utterance with a tone, or misbehaves in one way.

It speaks just enough of the protocol for a caller, and keeps real time, since the caller does.
"""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

from evaluation.caller import RATE_HZ
from evaluation.recording import Pcm, voiced_span

Flaw = Literal["", "deaf", "speechless", "silent", "endless", "hangs up", "refuses", "complains"]

END_SILENCE_SECONDS = 0.2


def tone(seconds: float, rate_hz: int = RATE_HZ) -> Pcm:
    """A loud tone, int16[n]."""
    time_seconds = np.arange(round(seconds * rate_hz)) / rate_hz
    return (12_000 * np.sin(2 * np.pi * 300 * time_seconds)).astype(np.int16)


@dataclass(frozen=True, slots=True)
class Double:
    """What the stand-in answers, and what is wrong with it."""

    flaw: Flaw = ""
    heard: str = "What is the capital of Japan?"
    answer: str = "The capital of Japan is Tokyo."
    language: str = "en"
    answer_seconds: float = 0.3


@asynccontextmanager
async def serving(double: Double) -> AsyncIterator[str]:
    """The URL of a stand-in, for as long as the block runs."""

    async def handle(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await _Call(socket, double).run()
        return socket

    app = web.Application()
    app.router.add_get("/v1/realtime", handle)
    async with TestServer(app) as server:
        yield str(server.make_url("/v1/realtime")).replace("http", "ws", 1)


class _Call:
    def __init__(self, socket: web.WebSocketResponse, double: Double) -> None:
        self._socket = socket
        self._double = double
        self._silence_seconds: float | None = None  # since the caller's words; None: no words yet

    async def run(self) -> None:
        async for message in self._socket:
            if message.type is not WSMsgType.TEXT:
                continue
            event = json.loads(message.data)
            if event["type"] == "session.update":
                await self._update(event["session"])
            else:
                await self._listen(np.frombuffer(base64.b64decode(event["audio"]), dtype="<i2"))

    async def _update(self, session: dict[str, Any]) -> None:
        if self._double.flaw == "refuses":
            await self._send("error", error={"message": "No such setting."})
        else:
            await self._send("session.updated", session=session)

    async def _listen(self, samples: Pcm) -> None:
        if self._double.flaw == "deaf":
            return
        if voiced_span(samples):
            if self._silence_seconds is None:
                await self._send("input_audio_buffer.speech_started")
            self._silence_seconds = 0.0
        elif self._silence_seconds is not None:
            self._silence_seconds += len(samples) / RATE_HZ
            if self._silence_seconds >= END_SILENCE_SECONDS:
                self._silence_seconds = None
                await self._take_turn()

    async def _take_turn(self) -> None:
        await self._send("input_audio_buffer.speech_stopped")
        if self._double.flaw == "hangs up":
            await self._socket.close(code=1011)
            return
        await self._send(
            "conversation.item.input_audio_transcription.completed",
            transcript=self._double.heard,
        )
        if self._double.flaw == "complains":
            await self._send("error", error={"message": "The LLM has died."})
        if self._double.flaw != "speechless":
            await self._answer()

    async def _answer(self) -> None:
        double = self._double
        await self._send("response.created", response={"id": "r", "status": "in_progress"})
        samples = tone(double.answer_seconds) * (double.flaw != "silent")
        for chunk in np.array_split(samples.astype("<i2"), 3):
            delta = base64.b64encode(chunk.tobytes()).decode()
            await self._send("response.output_audio.delta", delta=delta)
        if double.flaw == "endless":
            return
        await self._send("response.output_audio_transcript.done", transcript=double.answer)
        await self._send("response.done", response={"id": "r", "status": "completed"})
        await self._send("tinig.turn", turn=self._record())

    def _record(self) -> dict[str, Any]:
        return {
            "epoch": 1,
            "language": self._double.language,
            "language_probabilities": {self._double.language: 0.9},
            "draft": "hit",
            "milestones_ms": {"speech_end": 0.0, "transcript": 100.0, "first_audio_sent": 200.0},
        }

    async def _send(self, type_: str, **fields: Any) -> None:
        await self._socket.send_json({"type": type_, **fields})
