"""A caller on the OpenAI Realtime protocol: a microphone that never closes, and a loudspeaker.

Time is counted in seconds since the call began. A frame of the microphone is sent when its last
sample has been spoken, not before; what the server sends is played when it arrives or after what
still plays. So every interval measured here is what a person at the other end would have noticed.
"""

import asyncio
import socket as sockets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import aiohttp
import numpy as np
import pybase64

from evaluation.recording import Microphone, Pcm, Playback, voiced_span
from server.protocol.json_text import parse_json, write_json

RATE_HZ = 24_000
FRAME_SECONDS = 0.02


class CallFailed(Exception):
    """The call cannot go on, or the server did not do what was waited for."""


@dataclass(frozen=True, slots=True)
class Received:
    """An event of the server. Of audio, `body` keeps everything but the audio."""

    at_seconds: float
    type: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Spoken:
    """When the caller's words began and ended: the first and the last sample that is not silent."""

    start_seconds: float
    end_seconds: float


class Caller:
    """One call. Made by `call`."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.events: list[Received] = []
        self.microphone = Microphone(RATE_HZ)
        self.playback = Playback(RATE_HZ)
        self.closed: str = ""  # why the line is dead; empty while it lives
        self.pace = 1.0  # seconds of the microphone's audio sent in a second
        self._lead_seconds = 0.0  # of the microphone's audio before the time of the call
        self._socket = socket
        self._start = asyncio.get_running_loop().time()
        self._news = asyncio.Event()

    @property
    def now_seconds(self) -> float:
        """Seconds since the call began."""
        return asyncio.get_running_loop().time() - self._start

    async def send(self, event: Mapping[str, Any]) -> None:
        """Send one event of the protocol."""
        await self._socket.send_frame(write_json(event), aiohttp.WSMsgType.TEXT)

    def speak(self, samples: Pcm, *, after_seconds: float = 0.0) -> Spoken:
        """Begin to say int16[n] after a pause. Returns at once: `sleep_until` the end of it.

        Raises `CallFailed` when there is only silence in it.
        """
        span = voiced_span(samples)
        if span is None:
            raise CallFailed("there is nothing to say: the speech is silent")
        pause = np.zeros(round(after_seconds * RATE_HZ), dtype=np.int16)
        self.microphone.speak(pause)
        start_seconds = self.microphone.speak(samples[: span[1]]) - self._lead_seconds
        return Spoken(start_seconds + span[0] / RATE_HZ, start_seconds + span[1] / RATE_HZ)

    def hang_up_abruptly(self) -> None:
        """Cut the line, without a word of the protocol."""
        self._socket.get_extra_info("socket").shutdown(sockets.SHUT_RDWR)

    async def rest(self, seconds: float) -> None:
        """Stay on the line, silent, for so long."""
        await self.sleep_until(self.now_seconds + seconds)

    async def sleep_until(self, seconds: float) -> None:
        """Stay on the line, silent, until this time of the call."""
        while (rest_seconds := seconds - self.now_seconds) > 0:
            await self._news_or(rest_seconds)
            self._check_line()

    async def wait_for(self, condition: Callable[[], bool], until_seconds: float) -> bool:
        """Wait until the events received fulfil this, or the time of the call has come."""
        while not condition():
            self._check_line()
            rest_seconds = until_seconds - self.now_seconds
            if rest_seconds <= 0:
                return False
            await self._news_or(rest_seconds)
        return True

    async def hear_answer(self, since_seconds: float, timeout_seconds: float) -> None:
        """Listen until an answer begun after `since_seconds` is complete and has been played.

        Raises `CallFailed` when no answer is complete within `timeout_seconds` from now.
        """
        deadline_seconds = self.now_seconds + timeout_seconds
        while True:
            if not await self.wait_for(lambda: self._has_answer(since_seconds), deadline_seconds):
                raise CallFailed(f"no complete answer within {timeout_seconds:.0f} s")
            if not self.playback.is_paused:
                if self.playback.end_seconds <= self.now_seconds:
                    return
                await self._news_or(self.playback.end_seconds - self.now_seconds)
            elif not await self.wait_for(lambda: not self.playback.is_paused, deadline_seconds):
                raise CallFailed("the answer was paused and did not go on")

    def received(self, type_: str, since_seconds: float = 0.0) -> list[Mapping[str, Any]]:
        """The events of one type that came since then."""
        newest_first = takewhile(
            lambda event: event.at_seconds >= since_seconds, reversed(self.events)
        )
        return [event.body for event in newest_first if event.type == type_][::-1]

    def _has_answer(self, since_seconds: float) -> bool:
        """Whether a response was completed, or failed, and none is in progress."""
        begun = self.received("response.created", since_seconds)
        done = [event["response"] for event in self.received("response.done", since_seconds)]
        is_over = len(done) >= len(begun)
        return is_over and any(response["status"] != "cancelled" for response in done)

    def _check_line(self) -> None:
        if self.closed:
            raise CallFailed(f"the line is dead: {self.closed}")

    async def _news_or(self, timeout_seconds: float) -> None:
        """Until the next event, or the timeout."""
        self._news.clear()
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._news.wait()
        except TimeoutError:
            return

    async def _stream_microphone(self) -> None:
        loop = asyncio.get_running_loop()
        num_samples = round(FRAME_SECONDS * RATE_HZ)
        due = self._start
        while True:
            due += FRAME_SECONDS / self.pace
            await asyncio.sleep(due - loop.time())
            frame = self.microphone.take(num_samples)
            self._lead_seconds = self.microphone.taken_seconds - (due - self._start)
            try:
                await self._send_audio(frame)
            except ConnectionError:
                return  # the receiver knows why

    async def _send_audio(self, samples: Pcm) -> None:
        audio = pybase64.b64encode_as_string(samples.tobytes())
        await self.send({"type": "input_audio_buffer.append", "audio": audio})

    async def _receive(self) -> None:
        async for message in self._socket:
            self._take_message(message)
        self.closed = f"the server closed it with code {self._socket.close_code}"
        self._news.set()

    def _take_message(self, message: aiohttp.WSMessage) -> None:
        if message.type is aiohttp.WSMsgType.TEXT:
            self._take(parse_json(message.data))

    def _take(self, body: dict[str, Any]) -> None:
        now_seconds = self.now_seconds
        if body["type"] == "response.output_audio.delta":
            data = pybase64.b64decode(body.pop("delta"))
            self.playback.receive(np.frombuffer(data, dtype="<i2"), now_seconds)
        elif body["type"] == "input_audio_buffer.speech_started":
            self.playback.interrupt(now_seconds)  # as clients of this protocol do
        elif body["type"] == "tinig.playback":
            act = self.playback.pause if body["action"] == "pause" else self.playback.resume
            act(now_seconds)
        self.events.append(Received(now_seconds, body["type"], body))
        self._news.set()


@asynccontextmanager
async def call(
    url: str,
    *,
    api_key: str = "",
    extension_events: Sequence[str] = ("turn",),
    speed: float = 1.0,
    wants_answers: bool = True,
) -> AsyncIterator[Caller]:
    """Call the server at `url` ("ws://127.0.0.1:8080/v1/realtime"); hang up at the end.

    The session has server VAD, transcription and 24 kHz audio both ways; its language is not set,
    so the server has to find it out. `speed` is that of the server's voice; a caller who wants no
    answers is transcribed alone. Raises `CallFailed` when the server does not let us in.
    """
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    async with connect(url, Caller, headers) as caller:
        await _agree(caller, extension_events, speed, wants_answers=wants_answers)
        yield caller


@asynccontextmanager
async def connect(
    url: str, wire: type[Caller], headers: Mapping[str, str] | None = None
) -> AsyncIterator[Caller]:
    """A call on a wire that needs no words first. Raises `CallFailed`."""
    async with aiohttp.ClientSession() as http:
        try:
            socket = await http.ws_connect(url, headers=headers, max_msg_size=0)
        except aiohttp.ClientError as error:
            raise CallFailed(f"cannot call {url}: {error}") from error
        async with socket, _on_the_line(wire(socket)) as caller:
            yield caller


@asynccontextmanager
async def _on_the_line(caller: Caller) -> AsyncIterator[Caller]:
    """Send and receive in the background, as long as the block runs.

    What the block raises comes out as it is, not wrapped in the group of the tasks.
    """
    failure: Exception | None = None
    async with asyncio.TaskGroup() as tasks:
        microphone = tasks.create_task(caller._stream_microphone(), name="microphone")
        receiver = tasks.create_task(caller._receive(), name="receive")
        try:
            yield caller
        except Exception as error:
            failure = error
        microphone.cancel()
        receiver.cancel()
    if failure is not None:
        raise failure


async def _agree(
    caller: Caller, extension_events: Sequence[str], speed: float, *, wants_answers: bool
) -> None:
    """Set the session up and wait for the server to confirm it."""
    audio_format = {"type": "audio/pcm", "rate": RATE_HZ}
    session = {
        "type": "realtime",
        "output_modalities": ["audio"],
        "audio": {
            "input": {
                "format": audio_format,
                "transcription": {"model": "tinig"},
                "turn_detection": {"type": "server_vad", "create_response": wants_answers},
            },
            "output": {"format": audio_format, "speed": speed},
        },
        "tinig": {"events": list(extension_events)},
    }
    await caller.send({"type": "session.update", "session": session})
    confirmed = await caller.wait_for(
        lambda: bool(caller.received("session.updated") or caller.received("error")), 10.0
    )
    if not confirmed or not caller.received("session.updated"):
        errors = [event["error"]["message"] for event in caller.received("error")]
        raise CallFailed("the session was not set up: " + ("; ".join(errors) or "no reply in 10 s"))
