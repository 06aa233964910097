"""The calls that this process holds, whatever door they came in by: a place and a session each.

And the requests in work, because the process goes down only after both.
"""

import asyncio
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from weakref import WeakSet

from aiohttp import WSCloseCode, web

from engines.host import Engines
from server import logs
from server.admission import require_room
from server.config import Config, ConversationConfig
from server.ids import new_id
from server.metrics import Counters
from server.session import Session
from server.settings import Settings, TurnDetection

log = logging.getLogger(__name__)


class Calls:
    """All doors share its places."""

    def __init__(self, config: Config, engines: Engines) -> None:
        self.config = config
        self.engines = engines
        self.counters = Counters()
        self.draining = False  # nobody gets a place any more
        self._sockets: WeakSet[web.WebSocketResponse] = WeakSet()
        self._left = asyncio.Event()  # a call or a request has ended

    def require_room(self) -> None:
        """Raise 503 when there is no place for a call, or the server is going down."""
        places = self.config.server.max_sessions
        require_room(self.counters.sessions, places, draining=self.draining)

    def require_room_for_request(self) -> None:
        """Raise 503 when there is no place for a request, or the server is going down."""
        places = self.config.rest.max_requests
        require_room(self.counters.requests, places, draining=self.draining)

    @contextmanager
    def at_the_door(self) -> Iterator[None]:
        """What refuses a caller in this block is counted by its reason."""
        try:
            yield
        except web.HTTPError as refusal:
            self.counters.refused[refusal.reason] += 1
            raise

    @contextmanager
    def place(self, socket: web.WebSocketResponse | None = None) -> Iterator[None]:
        """Hold a place for one call; its socket is closed when the server goes down."""
        self.counters.sessions += 1
        if socket is not None:
            self._sockets.add(socket)
        try:
            yield
        finally:
            self.counters.sessions -= 1
            self._left.set()

    @contextmanager
    def work(self) -> Iterator[None]:
        """Do what a request asks for; the server does not go down before it is done."""
        self.counters.requests += 1
        try:
            yield
        finally:
            self.counters.requests -= 1
            self._left.set()

    async def drain(self, seconds: float) -> None:
        """Take no new call or request, and wait for so long until those there are have ended."""
        self.draining = True
        counters = self.counters
        log.info(
            "no new call is taken",
            extra={"calls": counters.sessions, "requests": counters.requests},
        )
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while counters.sessions or counters.requests:
                    self._left.clear()
                    await self._left.wait()

    def open(
        self,
        settings: Settings,
        peer: str | None,
        conversation: ConversationConfig | None = None,
        engines: Engines | None = None,
        *,
        prior: Mapping[str, float] | None = None,
        keeps_audio: bool = False,
    ) -> tuple[str, Session]:
        """A new call's session and its name, which is on all log lines of this task from now on.

        `conversation` and `engines` differ from the process's where a door knows better; `prior`
        is what it knows of the caller's language (`server.language.prior`); `keeps_audio` is for
        a client that may ask for the sound of what was said.
        """
        session_id = new_id("sess")
        logs.bind(session=session_id)
        log.info("call begins", extra={"peer": peer})
        session = Session(
            session_id,
            engines or self.engines,
            config=conversation or self.config.conversation,
            interruption=self.config.interruption,
            settings=settings,
            counters=self.counters,
            prior=prior,
            keeps_audio=keeps_audio,
        )
        return session_id, session

    def first_settings(self, model: str = "tinig") -> Settings:
        """What a session begins with, before its client asks for anything."""
        config = self.config.conversation
        detection = TurnDetection(
            threshold=config.speech_threshold,
            prefix_padding_ms=round(1000 * config.prefix_padding_seconds),
            silence_duration_ms=round(1000 * config.end_silence_seconds),
        )
        return Settings(model=model, instructions=config.instructions, turn_detection=detection)

    async def close_sockets(self) -> None:
        """Tell the client of every open socket that the server goes down.

        All at once: where a client does not read, its socket is closed only when it is cut off.
        """
        code, message = WSCloseCode.GOING_AWAY, b"The server is going down."
        closing = [socket.close(code=code, message=message) for socket in set(self._sockets)]
        await asyncio.gather(*closing, return_exceptions=True)
