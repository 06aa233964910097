"""One call over Twilio's Media Streams: its messages as commands, a session's events as messages.

Twilio plays what it gets without a pause, and keeps what it has not played yet. So every piece of
audio is followed by a mark: its echo says that the piece was heard. To fall silent, what Twilio
keeps is cleared; it then echoes the marks of that, too, which by then nobody waits for.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import closing

from aiohttp import WSCloseCode, WSMsgType, web

from engines.errors import ProtocolError
from server.commands import AudioPlayed, Command
from server.events import AnswerAudio, AnswerHeld, CallEnded, Event, ResponseFinished, SpeechStarted
from server.protocol.patience import Patience
from server.protocol.telephone import SEND_SECONDS, TICK_SECONDS, Intake
from server.protocol.twilio_messages import (
    Key,
    Mark,
    Media,
    Message,
    Start,
    Stop,
    clear,
    decode,
    mark,
    media,
)
from server.session import Session

log = logging.getLogger(__name__)

START_SECONDS = 10.0  # in which a stream has to say what call it is of
PLAY_OUT_SECONDS = 3.0  # to wait for the marks of the last words

_MAXIMUM_REASON_BYTES = 120  # of a close: the protocol's own bound is 123
_MAXIMUM_BAD_MESSAGES = 20  # that are ignored; with one more it is no Twilio
_ENDS = (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR)


class TwilioCall:
    """A stream that has been accepted."""

    def __init__(self, socket: web.WebSocketResponse, request: web.Request) -> None:
        self._socket = socket
        self._request = request
        self._loop = asyncio.get_running_loop()
        self._stream_sid = ""
        self._epoch = 0  # of the audio that was sent last
        self._num_marks = 0
        self._unplayed: dict[str, int] = {}  # names of marks that are awaited -> epoch
        self._played_out = asyncio.Event()
        self._num_bad = 0
        self._refusal = ""  # what the other end does that no Twilio does

    async def begin(self) -> Start | None:
        """What call it is of; None when that is not to be had."""
        try:
            async with asyncio.timeout(START_SECONDS):
                while not self._refusal and (data := await self._receive()) is not None:
                    message = self._decoded(data, patience=0)
                    if isinstance(message, Start):
                        self._stream_sid = message.stream_sid
                        return message
        except TimeoutError:
            self.refuse(f"No start message came within {START_SECONDS:.0f} s.")
        return None

    async def converse(self, session: Session, intake: Intake) -> None:
        """Carry the conversation to its end."""
        with closing(Patience(SEND_SECONDS, self._lose_patience)) as patience:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._write(session, patience), name="write")
                await session.run(self._read(intake))

    def refuse(self, reason: str) -> None:
        """The stream will be closed, and told why."""
        log.warning("a stream is refused: %s", reason)
        self._refusal = reason

    async def close(self) -> None:
        """Leave the caller to Twilio, which asks what to do next."""
        code = WSCloseCode.POLICY_VIOLATION if self._refusal else WSCloseCode.OK
        reason = self._refusal.encode()[:_MAXIMUM_REASON_BYTES].decode(errors="ignore")
        await self._socket.close(code=code, message=reason.encode())

    # ---- from Twilio ----------------------------------------------------------------------------

    async def _read(self, intake: Intake) -> AsyncIterator[Command]:
        while not (intake.wants_person or self._refusal):
            message: Message | None = None
            try:
                data = await self._receive(TICK_SECONDS)
                message = Stop() if data is None else self._decoded(data)
            except TimeoutError:
                pass  # nothing has come: time for some silence
            if isinstance(message, Stop):
                return
            for command in self._commands(message, intake):
                yield command

    async def _receive(self, seconds: float | None = None) -> str | bytes | None:
        """The next message; None when there are no more. Raises `TimeoutError`."""
        message = await self._socket.receive(seconds)
        return None if message.type in _ENDS else message.data

    def _decoded(self, data: str | bytes, patience: int = _MAXIMUM_BAD_MESSAGES) -> Message | None:
        """The message; None for one that is wrong."""
        try:
            if isinstance(data, str):
                return decode(data)
            raise ProtocolError("Messages are JSON text.", code="invalid_message_type")
        except ProtocolError as error:
            self._num_bad += 1
            log.warning("a message of Twilio's was ignored: %s", error)
            if self._num_bad > patience:
                self.refuse(str(error))
        return None

    def _commands(self, message: Message | None, intake: Intake) -> Iterator[Command]:
        now_seconds = self._loop.time()
        try:
            match message:
                case Media(samples=samples):
                    yield from intake.hear(samples, now_seconds)
                case Key(key=key):
                    yield from intake.press(key, now_seconds)
                case Mark(name=name):
                    yield from self._heard(name)
        except ProtocolError as error:
            self.refuse(str(error))
        yield from intake.rest(now_seconds)

    def _heard(self, name: str) -> Iterator[Command]:
        epoch = self._unplayed.pop(name, None)
        if epoch is not None:
            yield AudioPlayed(epoch)
        if not self._unplayed:
            self._played_out.set()

    # ---- to Twilio ------------------------------------------------------------------------------

    async def _write(self, session: Session, patience: Patience) -> None:
        """Send until the session is over; what a Twilio that left misses is dropped."""
        async for event in session.events():
            try:
                for message in self._messages(event):
                    with patience:
                        await self._socket.send_frame(message, WSMsgType.TEXT)
            except ConnectionError:
                return
            if isinstance(event, CallEnded):
                await self._play_out()
                await self.close()
                return

    def _messages(self, event: Event) -> list[bytes]:
        match event:
            case AnswerAudio():
                return [media(self._stream_sid, event.pcm), self._mark(event.epoch or 0)]
            case AnswerHeld(is_held=True) | SpeechStarted() | ResponseFinished(status="cancelled"):
                return self._clear()
        return []

    def _mark(self, epoch: int) -> bytes:
        if epoch != self._epoch:
            self._unplayed.clear()
            self._epoch = epoch
        self._num_marks += 1
        name = str(self._num_marks)
        self._unplayed[name] = epoch
        self._played_out.clear()
        return mark(self._stream_sid, name)

    def _clear(self) -> list[bytes]:
        if not self._unplayed:
            return []
        self._unplayed.clear()
        return [clear(self._stream_sid)]

    def _lose_patience(self) -> None:
        log.warning("Twilio does not read what it is sent: the stream is dropped")
        if self._request.transport is not None:
            self._request.transport.abort()

    async def _play_out(self) -> None:
        """Until the last words have been heard."""
        try:
            async with asyncio.timeout(PLAY_OUT_SECONDS):
                while self._unplayed:
                    await self._played_out.wait()
        except TimeoutError:
            return
