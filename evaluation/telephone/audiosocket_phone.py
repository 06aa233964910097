"""A telephone behind an Asterisk: its side of AudioSocket, from the published framing.

Asterisk puts every frame on the line as it comes, and the telephone keeps some against jitter; of
more than that it leaves silence out. The call is given up after two seconds in which nothing came.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import numpy as np

from evaluation.caller import CallFailed
from evaluation.recording import Pcm, voiced_span
from evaluation.telephone.line import Network
from evaluation.telephone.phone import Phone

JITTER_BUFFER_SECONDS = 0.06
LONGEST_BUFFER_SECONDS = 0.12
SILENT_LINE_SECONDS = 2.0

_TERMINATE, _UUID, _DTMF, _AUDIO = 0x00, 0x01, 0x03, 0x10


def frame(kind: int, payload: bytes = b"") -> bytes:
    """Kind, length and payload."""
    return bytes([kind]) + len(payload).to_bytes(2, "big") + payload


class AudioSocketPhone(Phone):
    """Made by `dial`."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        uplink: Network,
        downlink: Network,
    ) -> None:
        super().__init__(uplink, downlink)
        self.call = str(uuid.uuid4())
        self.is_terminated = False  # by a frame, not only by the socket's end
        self._reader = reader
        self._writer = writer

    async def begin(self) -> None:
        """Say what call this is."""
        await self.send(_UUID, uuid.UUID(self.call).bytes)

    async def send(self, kind: int, payload: bytes = b"") -> None:
        """Send one frame."""
        self._writer.write(frame(kind, payload))
        await self._writer.drain()

    async def send_audio(self, frame: Pcm, at_seconds: float) -> None:
        """A frame of signed linear audio."""
        payload = frame.astype("<i2").tobytes()
        self.sends(lambda: self.send(_AUDIO, payload))

    def press(self, digit: str) -> None:
        """Press a key."""
        self.sends(lambda: self.send(_DTMF, digit.encode()))

    async def receive(self) -> None:
        """Take frames in until the server terminates the call, or is silent for too long."""
        try:
            async with asyncio.timeout(SILENT_LINE_SECONDS) as patience:
                while await self._receive_frame():
                    patience.reschedule(self._loop.time() + SILENT_LINE_SECONDS)
        except (ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            self.is_terminated = False
        self.hang_up()

    async def _receive_frame(self) -> bool:
        """Whether more may come."""
        header = await self._reader.readexactly(3)
        payload = await self._reader.readexactly(int.from_bytes(header[1:], "big"))
        if header[0] == _AUDIO:
            self._arrived(np.frombuffer(payload, dtype="<i2").astype(np.int16))
            return True
        self.is_terminated = header[0] == _TERMINATE
        return False  # Asterisk takes nothing else, and gives the call up

    def _arrived(self, samples: Pcm) -> None:
        async def deliver() -> None:
            waits_seconds = self.playback.end_seconds - self.now_seconds
            if waits_seconds < LONGEST_BUFFER_SECONDS or voiced_span(samples):
                self.hears(samples, self.now_seconds + JITTER_BUFFER_SECONDS)

        self.arrives(deliver)


@asynccontextmanager
async def dial(
    host: str, port: int, *, uplink: Network | None = None, downlink: Network | None = None
) -> AsyncIterator[AudioSocketPhone]:
    """Call the server's AudioSocket; hang up at the end. Raises `CallFailed`."""
    try:
        reader, writer = await asyncio.open_connection(host, port)
    except OSError as error:
        raise CallFailed(f"cannot connect to {host}:{port}: {error}") from error
    try:
        phone = AudioSocketPhone(reader, writer, uplink or Network(), downlink or Network())
        await phone.begin()
        async with phone.on_the_line():
            yield phone
    finally:
        writer.close()


async def ask_after(base_url: str, call: str) -> str:
    """What a dialplan asks when the call has come back to it, and what it is told."""
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{base_url}/audiosocket/after/{call}") as reply,
    ):
        return await reply.text()


async def announce(base_url: str, call: str, number: str) -> int:
    """Tell the number of a call to come, as a dialplan does; the status of the reply."""
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{base_url}/audiosocket/before/{call}", data={"number": number}) as reply,
    ):
        return reply.status
