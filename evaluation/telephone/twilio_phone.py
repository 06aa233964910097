"""A telephone behind Twilio: its webhooks, signed, and its side of a Media Stream.

Audio plays when it arrives or after what still plays; a mark comes back when all before it has been
played, and all of them at once when the rest is cleared.
"""

import asyncio
import base64
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import aiohttp

from evaluation.caller import CallFailed
from evaluation.recording import Pcm
from evaluation.telephone.line import Network
from evaluation.telephone.phone import TIMER_SECONDS, Phone
from server.audio import int16_from_samples
from server.g711 import decode_mu_law, encode_mu_law
from server.protocol.twilio_voice import signature

Socket = aiohttp.ClientWebSocketResponse[Any]


class TwilioPhone(Phone):
    """Made by `dial`."""

    def __init__(self, socket: Socket, call_sid: str, uplink: Network, downlink: Network) -> None:
        super().__init__(uplink, downlink)
        self.stream_sid = f"MZ{secrets.token_hex(16)}"
        self.call_sid = call_sid
        self.num_clears = 0
        self._socket = socket
        self._sequence = 0
        self._chunk = 0
        self._marks: list[tuple[float, str]] = []  # when played, name
        self._mark_news = asyncio.Event()

    async def begin(self) -> None:
        """Say what call this is."""
        await self._socket.send_json({"event": "connected", "protocol": "Call", "version": "1.0.0"})
        start = {
            "accountSid": "AC" + "0" * 32,
            "streamSid": self.stream_sid,
            "callSid": self.call_sid,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {},
        }
        await self.send("start", start=start)

    async def send(self, event: str, **fields: Any) -> None:
        """Send a message as Twilio words it."""
        self._sequence += 1
        head = {"event": event, "sequenceNumber": str(self._sequence)}
        await self._socket.send_json({**head, "streamSid": self.stream_sid, **fields})

    async def send_audio(self, frame: Pcm, at_seconds: float) -> None:
        """A media message."""
        self._chunk += 1
        media = {
            "track": "inbound",
            "chunk": str(self._chunk),
            "timestamp": str(round(1000 * at_seconds)),
            "payload": base64.b64encode(encode_mu_law(frame)).decode(),
        }
        self.sends(lambda: self.send("media", media=media))

    def press(self, digit: str) -> None:
        """Press a key."""
        dtmf = {"track": "inbound_track", "digit": digit}
        self.sends(lambda: self.send("dtmf", dtmf=dtmf))

    async def receive(self) -> None:
        """Take messages in until the server closes the stream."""
        async with asyncio.TaskGroup() as tasks:
            echoing = tasks.create_task(self._echo_marks(), name="marks")
            async for message in self._socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._arrived(json.loads(message.data))
            self.hang_up()
            echoing.cancel()

    def _arrived(self, message: Mapping[str, Any]) -> None:
        async def deliver() -> None:
            self._take(message)

        self.arrives(deliver)

    def _take(self, message: Mapping[str, Any]) -> None:
        match message["event"]:
            case "media":
                payload = base64.b64decode(message["media"]["payload"])
                samples = int16_from_samples(decode_mu_law(payload))
                self.hears(samples, self.now_seconds)
            case "mark":
                played = max(self.playback.end_seconds, self.now_seconds)
                self._marks.append((played, message["mark"]["name"]))
            case "clear":
                self.num_clears += 1
                self.drops()
                self._marks = [(self.now_seconds, name) for _, name in self._marks]
        self._mark_news.set()

    async def _echo_marks(self) -> None:
        while True:
            self._mark_news.clear()
            while self._marks and self._marks[0][0] < self.now_seconds + TIMER_SECONDS:
                _, name = self._marks.pop(0)
                self._echo(name)
            wait = self._marks[0][0] - self.now_seconds if self._marks else None
            try:
                async with asyncio.timeout(wait):
                    await self._mark_news.wait()
            except TimeoutError:
                continue

    def _echo(self, name: str) -> None:
        self.sends(lambda: self.send("mark", mark={"name": name}))


async def post(
    http: aiohttp.ClientSession, url: str, auth_token: str, form: Mapping[str, str]
) -> Element:
    """Post a form as Twilio does; the TwiML of the answer. Raises `CallFailed`."""
    headers = {"X-Twilio-Signature": signature(auth_token, url, form.items())}
    async with http.post(url, data=form, headers=headers) as reply:
        text = await reply.text()
        if reply.status != 200:
            raise CallFailed(f"{url} answered {reply.status}: {text}")
        return fromstring(text)


@asynccontextmanager
async def dial(
    base_url: str,
    auth_token: str,
    *,
    uplink: Network | None = None,
    downlink: Network | None = None,
) -> AsyncIterator[TwilioPhone]:
    """Call the server at `base_url` ("http://127.0.0.1:8080"); hang up at the end.

    Raises `CallFailed` when the call is not taken.
    """
    form = {
        "CallSid": f"CA{secrets.token_hex(16)}",
        "From": "+34911234567",
        "To": "+34917654321",
        "CallStatus": "ringing",
    }
    async with aiohttp.ClientSession() as http:
        answer = await post(http, f"{base_url}/twilio/voice", auth_token, form)
        stream = answer.find("Connect/Stream")
        if stream is None:
            raise CallFailed(f"the call was not taken: {[verb.tag for verb in answer]}")
        async with http.ws_connect(stream.attrib["url"]) as socket:
            phone = TwilioPhone(socket, form["CallSid"], uplink or Network(), downlink or Network())
            await phone.begin()
            async with phone.on_the_line():
                yield phone


async def ask_after(base_url: str, auth_token: str, call_sid: str) -> Element:
    """What Twilio asks when the stream of a call has ended, and what it is told."""
    async with aiohttp.ClientSession() as http:
        return await post(http, f"{base_url}/twilio/after", auth_token, {"CallSid": call_sid})
