"""Files of a hub that speaks as Hugging Face's does, taken up again where they were cut off.

Own code on urllib and not huggingface_hub: that checks no SHA-256 against one of ours, keeps a
second copy of every file in a cache of its own, and with Xet asks hosts that a mirror does not
have; and this needs nothing installed. Proxies come from the environment (HTTPS_PROXY,
NO_PROXY), as urllib has them.
"""

import hashlib
import http.client
import io
import os
import socket
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, TypeVar

from scripts.models.errors import ModelsError

PUBLIC_ENDPOINT = "https://huggingface.co"
_CHUNK_BYTES = 1 << 20
_MOST_WAIT_SECONDS = 60.0
_REDIRECTS = {301, 302, 303, 307, 308}
_TRANSIENT = {408, 425, 429, 500, 502, 503, 504}

OnBytes = Callable[[int], None]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Told:
    """What the hub says of a file before it is fetched."""

    bytes: int | None
    sha256: str | None  # of files that it keeps in its large-file store


class _Cut(Exception):
    """The transfer broke; what came is kept. `wait_seconds`: what the hub asked for."""

    def __init__(self, why: str, wait_seconds: float = 0.0) -> None:
        super().__init__(why)
        self.wait_seconds = wait_seconds


@dataclass(frozen=True, slots=True)
class Hub:
    """Where files come from, and how patient to be."""

    endpoint: str = PUBLIC_ENDPOINT
    token: str = field(default="", repr=False)  # sent to the endpoint, never to where it redirects
    timeout_seconds: float = 30.0  # without a byte
    tries: int = 6  # in a row without a new byte
    sleep: Callable[[float], None] = time.sleep
    say: Callable[[str], None] = print

    def url(self, repository: str, revision: str, path: str) -> str:
        """Of a file; `repository` begins with `datasets/` for a data set."""
        return f"{self.endpoint.rstrip('/')}/{repository}/resolve/{revision}/" + urllib.parse.quote(
            path
        )

    def ask(self, url: str) -> Told:
        """Size and hash without the file. Raises `ModelsError`."""

        def head() -> Told:
            with closing(self._open(url, "HEAD", 0, follow=False)) as reply:
                return _told(reply)

        return self._patiently(url, head)

    def fetch(self, url: str, part: Path, on_bytes: OnBytes) -> None:
        """Bring `part` to the whole of the file, from where it stands. Raises `ModelsError`."""
        self._patiently(url, lambda: self._transfer(url, part, on_bytes), lambda: _length(part))

    def _patiently(
        self, url: str, attempt: Callable[[], T], progress: Callable[[], int] = lambda: 0
    ) -> T:
        failures = 0
        while True:
            before = progress()
            try:
                return attempt()
            except _Cut as cut:
                failures = 0 if progress() > before else failures + 1
                if failures >= self.tries:
                    raise ModelsError(
                        f"{url}: {cut}, {failures} times in a row. What came is kept: the same "
                        "command goes on from there."
                    ) from cut
                wait_seconds = max(cut.wait_seconds, min(2.0**failures, _MOST_WAIT_SECONDS))
                self.say(f"  {cut}; trying again in {wait_seconds:.0f} s")
                self.sleep(wait_seconds)

    def _transfer(self, url: str, part: Path, on_bytes: OnBytes) -> None:
        have = _length(part)
        with closing(self._open(url, "GET", have)) as reply:
            if have and not _continues(reply, have):
                have = 0  # the hub sends all of it, whatever was asked for
            total = _total(reply, have)
            with part.open("ab" if have else "wb") as file:
                for chunk in _chunks(reply):
                    file.write(chunk)
                    have += len(chunk)
                    on_bytes(have)
        if total is not None and have < total:
            raise _Cut(f"the transfer ended after {have} of {total} bytes")

    def _open(self, url: str, method: str, start: int, *, follow: bool = True) -> Any:
        request = urllib.request.Request(url, method=method)
        request.add_header("User-Agent", "tinig")
        request.add_header("Accept-Encoding", "identity")
        if start:
            request.add_header("Range", f"bytes={start}-")
        if self.token:
            request.add_unredirected_header("Authorization", f"Bearer {self.token}")
        opener = urllib.request.build_opener(*(() if follow else (_StayOnTheHub(),)))
        try:
            return opener.open(request, timeout=self.timeout_seconds)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 416 and start:
                return _Whole()
            if not follow and error.code in _REDIRECTS:
                return error  # its headers are what was asked for
            raise _refusal(error, url) from error
        except (OSError, http.client.HTTPException) as error:
            raise _Cut(_reason(error)) from error


def from_environment() -> Hub:
    """HF_ENDPOINT for a mirror, HF_TOKEN for one that asks who comes."""
    endpoint = os.environ.get("HF_ENDPOINT") or PUBLIC_ENDPOINT
    if not endpoint.startswith(("https://", "http://")):
        raise ModelsError(f"HF_ENDPOINT is {endpoint!r}; it takes an address with http:// before.")
    return Hub(endpoint, token=os.environ.get("HF_TOKEN", ""))


class _StayOnTheHub(urllib.request.HTTPRedirectHandler):
    """Follow a move within the hub; take its pointer to a store, which has the file's facts."""

    def redirect_request(  # noqa: PLR0917 (urllib's own)
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        if headers.get("X-Linked-Size") or headers.get("X-Linked-Etag"):
            return None
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _refusal(error: urllib.error.HTTPError, url: str) -> Exception:
    if error.code in _TRANSIENT:
        return _Cut(f"the hub answers {error.code} {error.reason}", _retry_after(error))
    if error.code in {401, 403}:
        return ModelsError(
            f"{url}: the hub answers {error.code}. If it asks for an account, put its token into "
            "HF_TOKEN; a proxy may be in the way too."
        )
    return ModelsError(
        f"{url}: the hub answers {error.code} {error.reason}. The file may have been taken away: "
        "fetch another model, or name a mirror that has it in HF_ENDPOINT."
    )


class _Whole(io.BytesIO):
    """The answer to a range that begins where the file ends: nothing is left to send."""

    status = 206
    headers: Mapping[str, str] = {}


def _told(reply: Any) -> Told:
    headers = reply.headers
    length = headers.get("X-Linked-Size") or headers.get("Content-Length")
    digest = headers.get("X-Linked-Etag", "").strip('"').removeprefix("sha256:")
    return Told(
        int(length) if length and length.isdigit() else None,
        digest if len(digest) == hashlib.sha256().digest_size * 2 else None,
    )


def _continues(reply: Any, have: int) -> bool:
    given = reply.headers.get("Content-Range", f"bytes {have}-")
    return reply.status == 206 and str(given).startswith(f"bytes {have}-")


def _total(reply: Any, have: int) -> int | None:
    length = reply.headers.get("Content-Length", "")
    return have + int(length) if length.isdigit() else None


def _chunks(reply: Any) -> Iterator[bytes]:
    while True:
        try:
            chunk = reply.read1(_CHUNK_BYTES)
        except (OSError, http.client.HTTPException) as error:
            raise _Cut(_reason(error)) from error
        if not chunk:
            return
        yield chunk


def _reason(error: Exception) -> str:
    inner = getattr(error, "reason", None) or error
    if isinstance(inner, TimeoutError):
        return "no answer in time"
    if isinstance(inner, socket.gaierror):
        return "its name is not known here: there is no network, or HTTPS_PROXY is missing"
    return str(inner) or type(inner).__name__


def _retry_after(error: urllib.error.HTTPError) -> float:
    value = error.headers.get("Retry-After", "")
    if value.isdigit():
        return min(float(value), _MOST_WAIT_SECONDS)
    try:
        seconds = parsedate_to_datetime(value).timestamp() - time.time()
    except (TypeError, ValueError):
        return 0.0
    return min(max(0.0, seconds), _MOST_WAIT_SECONDS)


def _length(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0
