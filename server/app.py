"""Routes, and the life of the process: models warm before the first call, drained at the end."""

import asyncio
import errno
import gc
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

from aiohttp import web

from engines.errors import ConfigError, ModelError
from engines.host import Engines, running_engines
from server.admission import REALTIME_SUBPROTOCOL, require_key, require_origin
from server.calls import Calls
from server.config import Config, ServerConfig
from server.ending import Ending
from server.language.prior import prior_of_browser, prior_of_choice
from server.language.spoken import prepare
from server.language.warm import warm
from server.page import Page
from server.protocol.audiosocket import AudioSocketDoor
from server.protocol.realtime import Line
from server.protocol.realtime_commands import Decoder
from server.protocol.realtime_events import Encoder
from server.protocol.twilio import TwilioDoor
from server.rest.routes import Rest
from server.voices import all_voices

log = logging.getLogger(__name__)

MAXIMUM_MESSAGE_BYTES = 16 * 1024 * 1024  # an append of 15 MiB and its wrapping
REQUEST_SECONDS = 30.0  # in which a new connection's first request, or its next, has come whole
LAST_SECONDS = 1.0  # for the last bytes of an answer; who is still in work then is broken off
HEARTBEAT_SECONDS = 20.0  # a client that vanished without a word is noticed within twice this


class Server:
    """The handlers of one process."""

    def __init__(self, config: Config, engines: Engines) -> None:
        self.config = config
        self.engines = engines
        self.calls = Calls(config, engines)
        self._voices = all_voices(config.tts, config.conversation.languages)
        self.counters = self.calls.counters
        self.audiosocket = AudioSocketDoor(self.calls)

    def application(self) -> web.Application:
        """The aiohttp application."""
        app = web.Application()
        Page(self.config).add_routes(app.router)
        app.router.add_get("/healthz", self.health)
        app.router.add_get("/readyz", self.ready)
        app.router.add_get("/v1/realtime", self.realtime)
        TwilioDoor(self.calls).add_routes(app.router)
        self.audiosocket.add_to(app)
        Rest(self.calls).add_routes(app)
        app.on_shutdown.append(self._close_sockets)
        return app

    def runner(self) -> web.AppRunner:
        """What serves the application: a connection that does not ask for anything is closed."""
        return web.AppRunner(
            self.application(),
            access_log=None,
            handler_cancellation=True,  # a client that has gone waits for nothing
            keepalive_timeout=REQUEST_SECONDS,
            shutdown_timeout=LAST_SECONDS,  # `Calls.drain` has waited for what is in work
        )

    async def health(self, request: web.Request) -> web.Response:
        """200 while every engine's thread lives, with what has happened so far."""
        failures = self.engines.failures
        body = {
            "status": "failed" if failures else "ok",
            "failures": failures,
            "sessions": self.counters.sessions,
            "turns": self.counters.turns_by_status,
            "drafts": self.counters.drafts,
            "wasted_tokens": self.counters.wasted_tokens,
            "prefills": self.counters.prefills,
            "refused": self.counters.refused,
        }
        return web.json_response(body, status=500 if failures else 200)

    async def ready(self, request: web.Request) -> web.Response:
        """200 when a new call would be taken."""
        full = self.counters.sessions >= self.config.server.max_sessions
        state = "draining" if self.calls.draining else "full" if full else "ready"
        return web.json_response({"status": state}, status=200 if state == "ready" else 503)

    async def realtime(self, request: web.Request) -> web.StreamResponse:
        """One call over the OpenAI Realtime protocol."""
        self._admit(request)
        socket = web.WebSocketResponse(
            protocols=(REALTIME_SUBPROTOCOL,),
            heartbeat=HEARTBEAT_SECONDS,
            max_msg_size=MAXIMUM_MESSAGE_BYTES,
        )
        with self.calls.place(socket):
            await socket.prepare(request)
            await self._converse(request, socket)
        return socket

    async def _converse(self, request: web.Request, socket: web.WebSocketResponse) -> None:
        settings = self.calls.first_settings(request.query.get("model", "tinig"))
        if request.query.get("intent") == "transcription":
            settings = replace(settings, type="transcription")
        prior = _prior(request, self.config.conversation.languages)
        session_id, session = self.calls.open(
            settings, request.remote, prior=prior, keeps_audio=True
        )

        def cut() -> None:
            if request.transport is not None:
                request.transport.abort()

        languages = self.config.conversation.languages
        decoder = Decoder(session.settings, languages, self._voices)
        encoder = Encoder(session_id, session.settings)
        await Line(socket, cut).converse(session, decoder, encoder)

    def _admit(self, request: web.Request) -> None:
        """Say no at the door, before the upgrade, and count why."""
        config = self.config.server
        with self.calls.at_the_door():
            require_origin(request, config.allowed_origins)
            require_key(request, config.api_keys)
            self.calls.require_room()

    async def _close_sockets(self, app: web.Application) -> None:
        await self.calls.close_sockets()


def _prior(request: web.Request, languages: Sequence[str]) -> Mapping[str, float]:
    """What is known of the caller's language: `?language=tl`, else what their browser asks for."""
    if named := request.query.get("language"):
        return prior_of_choice(named, languages)
    return prior_of_browser(request.headers.get("Accept-Language", ""), languages)


async def serve(config: Config) -> int:
    """Serve until a signal or a dead engine; the process's exit status."""
    ending = Ending()
    log.info("loading the models")
    await asyncio.to_thread(warm, config.conversation.languages)
    async with running_engines(
        config.vad,
        config.stt,
        config.llm,
        config.tts,
        config.translate,
        on_death=lambda _: ending.finish(1),
    ) as engines:
        for model in engines.loaded:
            log.info("loaded %s", model)
        talk = config.conversation
        _check_languages(talk.languages, engines.languages)
        await asyncio.to_thread(prepare, [talk.locale(language) for language in talk.languages])
        server = Server(config, engines)
        runner = server.runner()
        await runner.setup()
        settle()
        try:
            await _listen(runner, config.server)
            status = await ending.wait(server.calls, config.server.drain_seconds)
        finally:
            await runner.cleanup()
    return status


async def _listen(runner: web.AppRunner, config: ServerConfig) -> None:
    """Take requests from now on. Raises `ConfigError`, with what to change, where it cannot."""
    try:
        await web.TCPSite(runner, config.host, config.port).start()
    except (OSError, UnicodeError) as error:  # the latter: a host that is no name
        is_port = getattr(error, "errno", None) in (errno.EADDRINUSE, errno.EACCES)
        raise ConfigError(
            f"cannot listen on {config.host}:{config.port}: {getattr(error, 'strerror', error)}. "
            f"Choose another with {'--port' if is_port else '--host'}."
        ) from error
    port = runner.addresses[0][1]  # the one that was taken, when any would do
    log.info("listening on http://%s:%d", config.host, port)


def settle() -> None:
    """What was loaded stays: no garbage collection walks over it again, which would hold up all
    calls for tens of milliseconds."""
    gc.collect()
    gc.freeze()


def _check_languages(deployed: Sequence[str], known: Sequence[str]) -> None:
    """Before the first caller, not at their first word. Raises `ModelError`."""
    unknown = [language for language in deployed if language not in known]
    if unknown:
        raise ModelError(
            f"conversation.languages names {', '.join(unknown)}, which the model of stt.model does "
            'not know. Take it out, or fetch one that knows it: make models ARGS="--list".'
        )
