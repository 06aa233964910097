"""The door for an Asterisk of one's own: a TCP listener for AudioSocket.

Anybody who can connect could call: the protocol knows no password. So it is closed until it is
configured, listens on loopback, and lets in only the peers that are named.
"""

import asyncio
import ipaddress
import logging
from collections.abc import AsyncIterator

from aiohttp import web

from engines.errors import ConfigError
from server.admission import require_key, require_origin
from server.calls import Calls
from server.language.prior import prior_of_number
from server.protocol.audiosocket_call import AudioSocketCall
from server.protocol.telephone import Intake, Remembered, outcomes, posted_form, telephone_settings

log = logging.getLogger(__name__)

_MAXIMUM_NUMBER = 40  # signs of a telephone number


class AudioSocketDoor:
    """Takes connections while the application runs."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._config = calls.config.telephone
        self._peers = [ipaddress.ip_network(peer) for peer in self._config.audiosocket_peers]
        self._outcomes = outcomes()
        self._announced = Remembered("")  # numbers that calls to come are from
        self._open: set[str] = set()  # UUIDs of the calls that go on
        self._tasks: set[asyncio.Task[None]] = set()  # of the connections
        self.port = 0  # the one that was taken

    def add_to(self, app: web.Application) -> None:
        """Listen while the application runs, if that is configured."""
        app.router.add_post("/audiosocket/before/{call}", self.before)
        app.router.add_get("/audiosocket/after/{call}", self.after)
        if self._config.audiosocket:
            app.cleanup_ctx.append(self._listening)

    async def before(self, request: web.Request) -> web.Response:
        """From the dialplan: the number that a call will be from, since AudioSocket tells none."""
        self._require_allowed(request)
        number = dict(await posted_form(request)).get("number", "")
        if len(number) > _MAXIMUM_NUMBER:
            raise web.HTTPBadRequest(text="number takes a telephone number, as +639171234567.")
        self._announced.note(request.match_info["call"].lower(), number)
        return web.Response(text="noted")

    async def after(self, request: web.Request) -> web.Response:
        """For the dialplan: what became of a call, as one word: person, full or over."""
        self._require_allowed(request)
        return web.Response(text=self._outcomes.take(request.match_info["call"].lower()))

    def _require_allowed(self, request: web.Request) -> None:
        with self._calls.at_the_door():
            require_origin(request, self._calls.config.server.allowed_origins)
            require_key(request, self._calls.config.server.api_keys)

    async def _listening(self, app: web.Application) -> AsyncIterator[None]:
        host, port = self._config.audiosocket_host, self._config.audiosocket_port
        try:
            server = await asyncio.start_server(self._connected, host, port)
        except (OSError, UnicodeError) as error:  # the latter: a host that is no name
            raise ConfigError(
                f"telephone.audiosocket_port: cannot listen on {host}:{port}: "
                f"{getattr(error, 'strerror', error)}."
            ) from error
        self.port = server.sockets[0].getsockname()[1]
        log.info("listening for AudioSocket on %s:%d", host, self.port)
        yield
        server.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer), name="audiosocket")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peername = writer.get_extra_info("peername")
        if peername is None:  # who has hung up already
            writer.close()
            return
        peer = str(peername[0])
        if not self._may_call(peer):
            log.warning("%s may not call: it is none of telephone.audiosocket_peers", peer)
            self._calls.counters.refused["Forbidden"] += 1
            writer.close()
            return
        call = AudioSocketCall(reader, writer)
        try:
            name = await call.begin()
            if name is not None:
                await self._take(call, name, peer)
        finally:
            await call.close()

    async def _take(self, call: AudioSocketCall, name: str, peer: str) -> None:
        """Hold the call `name`, if there is room for it."""
        if name in self._open:
            log.warning("a connection is closed: the call %s goes on already", name)
            return
        try:
            with self._calls.at_the_door():
                self._calls.require_room()
        except web.HTTPServiceUnavailable:
            self._outcomes.note(name, "full")
            return
        self._open.add(name)
        try:
            with self._calls.place():
                await self._converse(call, name, peer)
        finally:
            self._open.remove(name)

    async def _converse(self, call: AudioSocketCall, name: str, peer: str) -> None:
        settings = telephone_settings(self._calls.first_settings(), reports_playback=False)
        number = self._announced.take(name)
        prior = prior_of_number(number, self._calls.config.conversation.languages)
        _, session = self._calls.open(settings, peer, prior=prior)
        now_seconds = asyncio.get_running_loop().time()
        intake = Intake(self._config, now_seconds, has_persons=True)
        await call.converse(session, intake)
        if intake.wants_person:
            self._outcomes.note(name, "person")
        told = {"call": name, "wants_person": intake.wants_person}
        log.info("the caller is Asterisk's again", extra=told)

    def _may_call(self, peer: str) -> bool:
        address = ipaddress.ip_address(peer.partition("%")[0])
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self._peers)
