"""Routes, and the life of the process: models warm before the first call, drained at the end."""

import asyncio
import logging
import signal
from weakref import WeakSet

from aiohttp import WSCloseCode, web

from engines.host import Engines, running_engines
from server import logs
from server.admission import (
    REALTIME_SUBPROTOCOL,
    require_key,
    require_origin,
    require_room,
)
from server.config import Config, ConversationConfig
from server.ids import new_id
from server.metrics import Counters
from server.page import Page
from server.protocol.realtime import converse
from server.session import Session
from server.settings import Settings, TurnDetection

log = logging.getLogger(__name__)

MAXIMUM_MESSAGE_BYTES = 16 * 1024 * 1024  # an append of 15 MiB and its wrapping
HEARTBEAT_SECONDS = 20.0  # a client that vanished without a word is noticed within twice this


class Server:
    """The handlers of one process."""

    def __init__(self, config: Config, engines: Engines) -> None:
        self.config = config
        self.engines = engines
        self.counters = Counters()
        self.draining = False
        self._sockets: WeakSet[web.WebSocketResponse] = WeakSet()

    def application(self) -> web.Application:
        """The aiohttp application."""
        app = web.Application()
        Page(self.config).add_routes(app.router)
        app.router.add_get("/healthz", self.health)
        app.router.add_get("/readyz", self.ready)
        app.router.add_get("/v1/realtime", self.realtime)
        app.on_shutdown.append(self._close_sockets)
        return app

    async def health(self, request: web.Request) -> web.Response:
        """200 while every engine's thread lives, with what has happened so far."""
        failures = self.engines.failures
        body = {
            "status": "failed" if failures else "ok",
            "failures": failures,
            "sessions": self.counters.sessions,
            "turns": self.counters.turns,
            "drafts": self.counters.drafts,
            "prefills": self.counters.prefills,
            "refused": self.counters.refused,
        }
        return web.json_response(body, status=500 if failures else 200)

    async def ready(self, request: web.Request) -> web.Response:
        """200 when a new call would be taken."""
        full = self.counters.sessions >= self.config.server.max_sessions
        state = "draining" if self.draining else "full" if full else "ready"
        return web.json_response({"status": state}, status=200 if state == "ready" else 503)

    async def realtime(self, request: web.Request) -> web.StreamResponse:
        """One call over the OpenAI Realtime protocol."""
        self._admit(request)
        socket = web.WebSocketResponse(
            protocols=(REALTIME_SUBPROTOCOL,),
            heartbeat=HEARTBEAT_SECONDS,
            max_msg_size=MAXIMUM_MESSAGE_BYTES,
        )
        self.counters.sessions += 1
        try:
            await socket.prepare(request)
            self._sockets.add(socket)
            await self._converse(request, socket)
        finally:
            self.counters.sessions -= 1
        return socket

    async def _converse(self, request: web.Request, socket: web.WebSocketResponse) -> None:
        session_id = new_id("sess")
        logs.bind(session=session_id)
        log.info("call begins", extra={"peer": request.remote})
        conversation = self.config.conversation
        settings = _settings(conversation, request.query.get("model", "tinig"))
        session = Session(
            session_id,
            self.engines,
            config=conversation,
            interruption=self.config.interruption,
            settings=settings,
            counters=self.counters,
        )
        await converse(socket, session, session_id, conversation)
        log.info("call ends")

    def _admit(self, request: web.Request) -> None:
        """Say no at the door, before the upgrade, and count why."""
        config = self.config.server
        limit = 0 if self.draining else config.max_sessions
        try:
            require_origin(request, config.allowed_origins)
            require_key(request, config.api_keys)
            require_room(self.counters.sessions, limit)
        except web.HTTPError as refusal:
            self.counters.refused[refusal.reason] += 1
            raise

    async def _close_sockets(self, app: web.Application) -> None:
        for socket in set(self._sockets):
            await socket.close(code=WSCloseCode.GOING_AWAY, message=b"The server is going down.")


def _settings(config: ConversationConfig, model: str) -> Settings:
    """What a session begins with, before its client asks for anything."""
    detection = TurnDetection(
        threshold=config.speech_threshold,
        prefix_padding_ms=round(1000 * config.prefix_padding_seconds),
        silence_duration_ms=round(1000 * config.end_silence_seconds),
    )
    return Settings(model=model, instructions=config.instructions, turn_detection=detection)


async def serve(config: Config) -> int:
    """Serve until a signal or a dead engine; the process's exit status."""
    stop: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def finish(status: int) -> None:
        if not stop.done():
            stop.set_result(status)

    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, finish, 0)
    log.info("loading the models")
    async with running_engines(
        config.vad, config.stt, config.llm, config.tts, on_death=lambda _: finish(1)
    ) as engines:
        for model in engines.loaded:
            log.info("loaded %s", model)
        server = Server(config, engines)
        runner = web.AppRunner(server.application(), access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, config.server.host, config.server.port).start()
            port = runner.addresses[0][1]  # the one that was taken, when any would do
            log.info("listening on http://%s:%d", config.server.host, port)
            status = await stop
            server.draining = True
        finally:
            await runner.cleanup()
    return status
