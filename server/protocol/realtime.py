"""`/v1/realtime`: one WebSocket, one session."""

import asyncio
import json
from collections.abc import AsyncIterator, Collection

from aiohttp import WSMessage, WSMsgType, web

from engines.errors import ProtocolError
from server.config import ConversationConfig
from server.events import CallEnded, Command, Failed
from server.protocol.realtime_commands import Decoder, event_id_of
from server.protocol.realtime_events import Encoder
from server.protocol.realtime_table import Wire
from server.session import Session


async def converse(
    socket: web.WebSocketResponse,
    session: Session,
    session_id: str,
    config: ConversationConfig,
    voices: Collection[str],
) -> None:
    """Carry a conversation until the client leaves or the server closes the socket."""
    encoder = Encoder(session_id, session.settings)
    await socket.send_str(json.dumps(encoder.created()))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_write(socket, session, encoder), name="write")
        decoder = Decoder(session.settings, config.languages, voices)
        await session.run(_read(socket, decoder, session))


async def _read(
    socket: web.WebSocketResponse, decoder: Decoder, session: Session
) -> AsyncIterator[Command]:
    async for message in socket:
        try:
            command = _decode(decoder, message)
        except ProtocolError as error:
            event_id = event_id_of(message.data) if message.type is WSMsgType.TEXT else None
            session.outbox.put(Failed(error, event_id))
            continue
        yield command


def _decode(decoder: Decoder, message: WSMessage) -> Command:
    if message.type is WSMsgType.BINARY:
        return decoder.decode_binary(message.data)
    return decoder.decode(message.data)


async def _write(socket: web.WebSocketResponse, session: Session, encoder: Encoder) -> None:
    """Send until the session's outbox is closed; what a client that left misses is dropped."""
    async for event in session.events():
        if isinstance(event, CallEnded):
            await socket.close(message=b"The caller has not spoken for long.")
            return
        for wire in encoder.encode(event):
            try:
                await _send(socket, wire)
            except ConnectionError:
                return


async def _send(socket: web.WebSocketResponse, wire: Wire | bytes) -> None:
    if isinstance(wire, bytes):
        await socket.send_bytes(wire)
    else:
        await socket.send_str(json.dumps(wire, ensure_ascii=False))
