"""`/v1/realtime`: one WebSocket, one session."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import dataclass

from aiohttp import WSMessage, WSMsgType, web

from engines.errors import ProtocolError
from server.commands import Command
from server.events import CallEnded, Failed
from server.protocol.json_text import write_json
from server.protocol.patience import Patience
from server.protocol.realtime_commands import Decoder, event_id_of
from server.protocol.realtime_events import Encoder
from server.protocol.realtime_table import Wire
from server.session import Session

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 10.0  # with a client that does not take what it is sent
MAXIMUM_BACKLOG = 10_000  # events that wait for it meanwhile


@dataclass(frozen=True, slots=True)
class Line:
    """One client's WebSocket, and how to cut it: who does not read is not told why either."""

    socket: web.WebSocketResponse
    cut: Callable[[], None]

    async def converse(self, session: Session, decoder: Decoder, encoder: Encoder) -> None:
        """Carry a conversation until the client leaves or the server closes the socket."""
        with closing(Patience(PATIENCE_SECONDS, self._lose_patience)) as patience:
            await self._send(encoder.created(), patience)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._write(session, encoder, patience), name="write")
                await session.run(self._read(session, decoder))

    async def _read(self, session: Session, decoder: Decoder) -> AsyncIterator[Command]:
        async for message in self.socket:
            if message.type is WSMsgType.ERROR:
                return  # it could not be read: aiohttp has closed the connection and said why
            if session.outbox.backlog > MAXIMUM_BACKLOG:
                log.warning("the client asks on and does not read: cut off")
                self.cut()
                return
            try:
                command = _decode(decoder, message)
            except ProtocolError as error:
                event_id = event_id_of(message.data) if message.type is WSMsgType.TEXT else None
                session.outbox.put(Failed(error, event_id))
                continue
            yield command

    async def _write(self, session: Session, encoder: Encoder, patience: Patience) -> None:
        """Send until the session's outbox is closed; what a client that left misses is dropped."""
        async for event in session.events():
            if isinstance(event, CallEnded):
                await self.socket.close(message=b"The caller has not spoken for long.")
                return
            try:
                for wire in encoder.encode(event):
                    await self._send(wire, patience)
            except ConnectionError:
                return

    async def _send(self, wire: Wire | bytes, patience: Patience) -> None:
        """Raises `ConnectionError` if the client has left, or was cut off."""
        with patience:
            if isinstance(wire, bytes):
                await self.socket.send_bytes(wire)
            else:
                await self.socket.send_frame(write_json(wire), WSMsgType.TEXT)

    def _lose_patience(self) -> None:
        log.warning("the client does not read: cut off")
        self.cut()


def _decode(decoder: Decoder, message: WSMessage) -> Command:
    if message.type is WSMsgType.BINARY:
        return decoder.decode_binary(message.data)
    return decoder.decode(message.data)
