"""The browser page: its files, and what it has to know of the server."""

from pathlib import Path

from aiohttp import hdrs, web

from server.config import Config
from server.language.languages import own_name
from server.voices import voices_of

_WEB = Path(__file__).parent / "web"

_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
HEADERS = {
    "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in _POLICY.items()),
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    hdrs.CACHE_CONTROL: "no-cache",  # asked for again each time: an update is seen at once
}


class Page:
    """The page's routes."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._files = {
            path.relative_to(_WEB).as_posix(): path for path in _WEB.rglob("*") if path.is_file()
        }

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """`/`, the files it refers to under `/web/`, and `/v1/tinig`."""
        router.add_get("/", self.index)
        router.add_get("/web/{name:.+}", self.file)
        router.add_get("/v1/tinig", self.facts)

    async def index(self, request: web.Request) -> web.StreamResponse:
        """The page itself."""
        return web.FileResponse(self._files["index.html"], headers=HEADERS)

    async def file(self, request: web.Request) -> web.StreamResponse:
        """A file of the page. Only those that were there at the start: no path leads elsewhere."""
        path = self._files.get(request.match_info["name"])
        if path is None:
            raise web.HTTPNotFound
        return web.FileResponse(path, headers=HEADERS)

    async def facts(self, request: web.Request) -> web.Response:
        """What a client may choose from, and whether it needs a key. Holds no secret."""
        languages = self._config.conversation.languages
        body = {
            "languages": [{"code": code, "name": own_name(code)} for code in languages],
            "default_language": self._config.conversation.default_language,
            "voices": {code: voices_of(self._config.tts, code) for code in languages},
            "needs_key": bool(self._config.server.api_keys),
        }
        return web.json_response(body, headers=HEADERS)
