"""All operations of the REST door, behind it."""

from aiohttp import web

from server.calls import Calls
from server.rest.chat import Chat
from server.rest.door import Door
from server.rest.models import Models
from server.rest.offline import offline
from server.rest.openapi import OpenApi
from server.rest.prometheus import Metrics
from server.rest.speech import Speech
from server.rest.transcriptions import Transcriptions
from server.rest.voice import Voice


class Rest:
    """The resources of one process."""

    def __init__(self, calls: Calls) -> None:
        engines = offline(calls.engines)
        self._door = Door(calls)
        self._voice = Voice(calls, engines)
        self.operations = OpenApi(
            [
                *Transcriptions(calls.config, engines).operations(),
                *Speech(calls.config, engines).operations(),
                *Chat(calls.config.rest, engines).operations(),
                *self._voice.operations(),
                *Models(calls.engines.loaded).operations(),
                *Metrics(calls.counters, calls.engines).operations(),
            ]
        ).operations

    def add_routes(self, app: web.Application) -> None:
        """Every operation at its path, and the document that describes them all."""
        self._door.add_routes(app, self.operations)
        app.on_shutdown.append(self._close)

    async def _close(self, app: web.Application) -> None:
        await self._voice.close()
