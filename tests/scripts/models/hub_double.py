"""A hub on this machine that behaves as Hugging Face's does, faults included.

Small files come from the hub itself. Large ones (here: those put with `stored=True`) are pointed to
in a store under another host name, with size and SHA-256 in the pointer's headers.
"""

import hashlib
import re
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection breaks after so many bytes of the body."""

    after_bytes: int


@dataclass(frozen=True, slots=True)
class Stall:
    """Nothing more comes after so many bytes, and the connection stays open."""

    after_bytes: int


@dataclass(frozen=True, slots=True)
class Answer:
    """An error instead of the file."""

    status: int
    retry_after: str = ""


@dataclass(frozen=True, slots=True)
class Wrong:
    """As long as the file, and other bytes."""


@dataclass(frozen=True, slots=True)
class NoRanges:
    """The whole file, whatever part was asked for."""


Fault = Cut | Stall | Answer | Wrong | NoRanges


@dataclass(frozen=True, slots=True)
class Request:
    """One that came."""

    method: str
    host: str
    path: str
    range: str
    authorization: str


@dataclass
class HubDouble:
    """What the hub has, what goes wrong next, and what it was asked."""

    port: int = 0
    files: dict[str, bytes] = field(default_factory=dict)  # path of the address → content
    stored: set[str] = field(default_factory=set)
    faults: dict[str, list[Fault]] = field(default_factory=lambda: defaultdict(list))
    requests: list[Request] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def endpoint(self) -> str:
        """What HF_ENDPOINT would name."""
        return f"http://127.0.0.1:{self.port}"

    def put(
        self, repository: str, revision: str, path: str, data: bytes, *, stored: bool = False
    ) -> str:
        """Publish a file; returns the path that faults are queued under."""
        address = f"/{repository}/resolve/{revision}/{path}"
        self.files[address] = data
        if stored:
            self.stored.add(address)
        return address

    def bodies(self, address: str) -> list[Request]:
        """The requests for a file's content, wherever they went."""
        return [
            request
            for request in self.requests
            if request.method == "GET" and request.path.endswith(address)
        ]


@contextmanager
def hub_double() -> Iterator[HubDouble]:
    """A hub on a free port, for as long as a block runs."""
    hub = HubDouble()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    server.daemon_threads = True
    hub.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hub
    finally:
        hub.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(hub: HubDouble) -> type[BaseHTTPRequestHandler]:
    class Handler(_Handler):
        double = hub

    return Handler


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    double: HubDouble

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class's name)
        """Not on the test's output."""

    def _answer(self) -> None:
        parts = urlsplit(self.path)  # a proxy is asked for whole addresses
        address = unquote(parts.path)
        self._note(address)
        in_store = address.startswith("/store/")
        name = address.removeprefix("/store")
        if name not in self.double.files:
            return self._say(404)
        if name in self.double.stored and not in_store:
            return self._point_to_store(name)
        faults = self.double.faults[name]
        self._send_file(name, faults.pop(0) if faults and self.command == "GET" else None)
        return None

    def _note(self, address: str) -> None:
        headers = self.headers
        self.double.requests.append(
            Request(
                self.command,
                headers.get("Host", ""),
                address,
                headers.get("Range", ""),
                headers.get("Authorization", ""),
            )
        )

    def _say(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _point_to_store(self, name: str) -> None:
        data = self.double.files[name]
        self._say(
            302,
            Location=f"http://localhost:{self.double.port}/store{name}",
            X_Linked_Size=str(len(data)),
            X_Linked_Etag=f'"{hashlib.sha256(data).hexdigest()}"',
        )

    def _send_file(self, name: str, fault: Fault | None) -> None:
        data = self.double.files[name]
        if isinstance(fault, Answer):
            return self._say(fault.status, Retry_After=fault.retry_after)
        if isinstance(fault, Wrong):
            data = bytes(byte ^ 1 for byte in data)
        start = 0 if isinstance(fault, NoRanges) else self._start()
        if start and start >= len(data):
            return self._say(416)
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        if self.command == "GET":
            self._send_body(data[start:], fault)
        return None

    def _start(self) -> int:
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        return int(asked[1]) if asked else 0

    def _send_body(self, body: bytes, fault: Fault | None) -> None:
        if isinstance(fault, Cut | Stall):
            self.wfile.write(body[: fault.after_bytes])
            self.wfile.flush()
            if isinstance(fault, Stall):
                self.double.released.wait(10)
            self.close_connection = True
        else:
            self.wfile.write(body)
