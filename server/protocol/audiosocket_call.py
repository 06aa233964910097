"""One call over AudioSocket: its frames as commands, a session's events as frames.

Asterisk keeps nothing: it puts every frame on the line as it comes, and gives a call up after two
seconds without any. So the line is spoken to all the time, one frame every 20 ms, silence where
there is nothing to say; and the clock says what was heard.
"""

import asyncio
import logging
import socket as sockets
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

from engines.errors import ProtocolError
from server.audio import Pcm, encode_pcm16
from server.commands import Command
from server.events import AnswerAudio, CallEnded, ResponseFinished, SpeechStarted
from server.g711 import RATE_HZ
from server.protocol.audiosocket_frames import (
    Audio,
    Begin,
    End,
    Frame,
    FrameParser,
    Key,
    Kind,
    Message,
    decode,
)
from server.protocol.patience import Patience
from server.protocol.telephone import SEND_SECONDS, TICK_SECONDS, Intake
from server.session import Session

log = logging.getLogger(__name__)

FRAME_SECONDS = 0.02
FRAME_BYTES = 2 * round(FRAME_SECONDS * RATE_HZ)
BEGIN_SECONDS = 5.0  # in which a connection has to say what call it is of

_READ_BYTES = 4096
_BUFFER_BYTES = 8 * 1024  # half a second, in which what is sent may wait for its reader
_BEHIND_SECONDS = 0.2  # of the clock, after which frames are late for good
_MAXIMUM_BAD_FRAMES = 20  # that are ignored; with one more it is no Asterisk


class Loudspeaker:
    """What is still to be put on the line, cut into frames."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def play(self, pcm: Pcm) -> None:
        """int16[n] at 8 kHz, after what waits."""
        self._waiting += encode_pcm16(pcm)

    @property
    def waiting_seconds(self) -> float:
        """How long it takes to play all that waits."""
        return len(self._waiting) / (2 * RATE_HZ)

    def clear(self) -> None:
        """Nothing that waits will be heard."""
        self._waiting.clear()

    def next_frame(self) -> Frame:
        """The next 20 ms, filled up with silence."""
        payload = bytes(self._waiting[:FRAME_BYTES])
        del self._waiting[:FRAME_BYTES]
        return Frame(Kind.AUDIO, payload.ljust(FRAME_BYTES, b"\0"))


class AudioSocketCall:
    """A connection of a peer that may call."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        writer.transport.set_write_buffer_limits(high=_BUFFER_BYTES)
        socket = writer.get_extra_info("socket")
        socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_SNDBUF, _BUFFER_BYTES)
        self._loop = asyncio.get_running_loop()
        self._patience = Patience(SEND_SECONDS, self._lose_patience)
        self._parser = FrameParser()
        self._received: deque[Message | None] = deque()  # None: a wrong one
        self._loudspeaker = Loudspeaker()
        self._is_over = False  # because we say so
        self._num_bad = 0

    async def begin(self) -> str | None:
        """The call's UUID; None when the peer did not begin with it."""
        try:
            async with asyncio.timeout(BEGIN_SECONDS):
                message = await self._receive()
        except TimeoutError:
            message = End()
        if isinstance(message, Begin):
            return message.call
        log.warning("a connection is closed: its first frame is no UUID")
        return None

    async def converse(self, session: Session, intake: Intake) -> None:
        """Carry the conversation to its end."""
        async with asyncio.TaskGroup() as tasks:
            speaking = tasks.create_task(self._speak(), name="speak")
            tasks.create_task(self._take(session), name="events")
            await session.run(self._read(intake))
            speaking.cancel()

    async def close(self) -> None:
        """Give the caller back to the dialplan."""
        await self._send(Frame(Kind.TERMINATE))
        self._patience.close()
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()

    # ---- from Asterisk --------------------------------------------------------------------------

    async def _read(self, intake: Intake) -> AsyncIterator[Command]:
        while not (intake.wants_person or self._is_over):
            message: Message | None = None
            try:
                async with asyncio.timeout(TICK_SECONDS):
                    message = await self._receive()
            except TimeoutError:
                pass  # nothing has come: time for some silence
            if isinstance(message, End):
                if message.error:
                    log.warning("Asterisk ends the call with error 0x%02x", message.error)
                return
            for command in self._commands(message, intake):
                yield command

    async def _receive(self) -> Message | None:
        """The next message, None for a wrong one. Cancelled, it loses nothing."""
        while not self._received:
            try:
                data = await self._reader.read(_READ_BYTES)
            except ConnectionError:
                data = b""
            if not data:
                return End()
            self._received.extend(self._decoded(frame) for frame in self._parser.push(data))
        return self._received.popleft()

    def _decoded(self, frame: Frame) -> Message | None:
        try:
            return decode(frame)
        except ProtocolError as error:
            log.warning("a frame of Asterisk's was ignored: %s", error)
            self._num_bad += 1
            return End() if self._num_bad > _MAXIMUM_BAD_FRAMES else None

    def _commands(self, message: Message | None, intake: Intake) -> Iterator[Command]:
        now_seconds = self._loop.time()
        try:
            match message:
                case Audio(samples=samples):
                    yield from intake.hear(samples, now_seconds)
                case Key(key=key):
                    yield from intake.press(key, now_seconds)
        except ProtocolError as error:
            log.warning("a connection is closed: %s", error)
            self._is_over = True
        yield from intake.rest(now_seconds)

    # ---- to Asterisk ----------------------------------------------------------------------------

    async def _take(self, session: Session) -> None:
        """What the session says, until it is over."""
        async for event in session.events():
            match event:
                case AnswerAudio(pcm=pcm):
                    self._loudspeaker.play(pcm)
                case SpeechStarted() | ResponseFinished(status="cancelled"):
                    self._loudspeaker.clear()
                case CallEnded():
                    await asyncio.sleep(self._loudspeaker.waiting_seconds)
                    self._is_over = True

    async def _speak(self) -> None:
        """Put a frame on the line whenever one is due."""
        due = self._loop.time()
        while await self._send(self._loudspeaker.next_frame()):
            due += FRAME_SECONDS
            now = self._loop.time()
            if now - due > (_BEHIND_SECONDS if self._loudspeaker.waiting_seconds else 0.0):
                due = now  # speech that is late catches up; silence need not
            await asyncio.sleep(due - now)

    async def _send(self, frame: Frame) -> bool:
        """Whether it could be sent. Who does not read is dropped."""
        self._writer.write(frame.to_bytes())
        try:
            with self._patience:
                await self._writer.drain()
        except ConnectionError:
            return False
        return True

    def _lose_patience(self) -> None:
        log.warning("Asterisk does not read what it is sent: the connection is dropped")
        self._writer.transport.abort()
