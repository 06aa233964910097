"""Who may come in to the REST door, how many at once, and what they are told when not."""

import logging
from collections.abc import Iterable
from typing import NoReturn

from aiohttp import hdrs, web

from engines.errors import TinigError
from server import logs
from server.admission import require_key, require_origin
from server.calls import Calls
from server.ids import new_id
from server.rest import errors
from server.rest.operation import Handler, Operation
from server.rest.streams import send_whole

log = logging.getLogger(__name__)

_BEGUN = web.RequestKey("begun", bool)  # some of the answer has been sent
_ID = web.RequestKey("id", str)
_PREFLIGHT_SECONDS = "600"
EXPOSED_HEADERS = (
    "X-Request-Id, X-Tinig-Transcript, X-Tinig-Answer, X-Tinig-Language, X-Tinig-Session"
)


class Door:
    """Guards operations."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._server = calls.config.server
        self._config = calls.config.rest

    def add_routes(self, app: web.Application, operations: Iterable[Operation]) -> None:
        """Each operation behind the door, and the question that a browser asks before it."""
        asked = set()
        for operation in operations:
            app.router.add_route(operation.method, operation.path, self.guarded(operation))
            if operation.path not in asked:
                asked.add(operation.path)
                app.router.add_route("OPTIONS", operation.path, self.preflight)
        app.on_response_prepare.append(self._prepare)

    def guarded(self, operation: Operation) -> Handler:
        """The operation's handler, which sees only who may come in; any failure is answered."""

        async def handle(request: web.Request) -> web.StreamResponse:
            request[_ID] = new_id("req")
            logs.bind(session=request[_ID])
            try:
                return await self._admit(operation, request)
            except web.HTTPException as refusal:
                response = errors.refusal(refusal)
            except TinigError as error:
                log.info("%s %s: %s", request.method, request.path, error)
                response = errors.response(error)
            except ConnectionError:  # the client has gone; there is nobody to answer
                raise
            except Exception:  # a defect of ours ends this request, not the server
                log.exception("%s %s failed", request.method, request.path)
                response = errors.response(TinigError("The server failed here. Try again."))
            if request.get(_BEGUN):  # half of an answer has been sent: it may not seem whole
                self._hang_up(request)
            return response

        return handle

    async def preflight(self, request: web.Request) -> web.StreamResponse:
        """What a page of another origin may send, if its origin is allowed at all."""
        try:
            require_origin(request, self._server.allowed_origins)
        except web.HTTPError as refusal:
            return errors.refusal(refusal)
        headers = {
            hdrs.ACCESS_CONTROL_ALLOW_METHODS: "GET, POST",
            hdrs.ACCESS_CONTROL_ALLOW_HEADERS: request.headers.get(
                hdrs.ACCESS_CONTROL_REQUEST_HEADERS, "Authorization, Content-Type"
            ),
            hdrs.ACCESS_CONTROL_MAX_AGE: _PREFLIGHT_SECONDS,
        }
        return web.Response(status=204, headers=headers)

    async def _admit(self, operation: Operation, request: web.Request) -> web.StreamResponse:
        calls = self._calls
        with calls.at_the_door():
            require_origin(request, self._server.allowed_origins)
            if not operation.is_public:
                require_key(request, self._server.api_keys)
            if not operation.is_work:
                return await operation.handler(request)
            calls.require_room_for_request()
        with calls.work():
            response = await operation.handler(request)
            if isinstance(response, web.Response):
                return await send_whole(request, self._config, response)
            return response

    def _hang_up(self, request: web.Request) -> NoReturn:
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionError("An answer broke off.")

    async def _prepare(self, request: web.Request, response: web.StreamResponse) -> None:
        """An answer is about to begin. A page of an allowed origin may read it."""
        request[_BEGUN] = True
        if _ID in request:
            response.headers["X-Request-Id"] = request[_ID]
        origin = request.headers.get(hdrs.ORIGIN)
        if origin in self._server.allowed_origins:
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = str(origin)
            response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = EXPOSED_HEADERS
            response.headers.add(hdrs.VARY, hdrs.ORIGIN)
