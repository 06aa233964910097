"""A server of our own on a free port, for as long as a block runs."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
_POLL_SECONDS = 0.1
_STOP_SECONDS = 15.0


class ServerFailed(Exception):
    """The server ended, or was not ready in time. Says where its own words are."""


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that is ready."""

    port: int
    log: Path
    seconds_to_ready: float
    pid: int

    @property
    def http_url(self) -> str:
        """`http://127.0.0.1:PORT`."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def realtime_url(self) -> str:
        """Where a caller of the Realtime protocol connects."""
        return f"ws://127.0.0.1:{self.port}/v1/realtime"


def ignore(_: str) -> None:
    """For who does not want the server's lines."""


@contextmanager
def server_process(
    log: Path,
    *,
    arguments: Sequence[str] = (),
    on_line: Callable[[str], None] = ignore,
    timeout_seconds: float = 120.0,
    module: str = "server",
) -> Iterator[RunningServer]:
    """Start `python -m server`, wait until it is ready, stop it at the end of the block.

    All that it writes goes to the file `log`; until it is ready, line by line to `on_line` too.
    `module`: another one to start, with the server's face.
    Raises `ServerFailed`.
    """
    port = free_port()
    command = [sys.executable, "-m", module, "--port", str(port), *arguments]
    started_at = time.monotonic()
    is_ready = partial(answers, f"http://127.0.0.1:{port}/readyz")
    with process(command, log, is_ready, on_line=on_line, timeout_seconds=timeout_seconds) as pid:
        yield RunningServer(port, log, time.monotonic() - started_at, pid)


@contextmanager
def process(
    command: Sequence[str],
    log: Path,
    is_ready: Callable[[], bool],
    *,
    on_line: Callable[[str], None] = ignore,
    timeout_seconds: float = 120.0,
    environment: Mapping[str, str] | None = None,
) -> Iterator[int]:
    """Start any server, wait until it is ready, stop it at the end of the block; its process id.

    `environment`: added to our own. Raises `ServerFailed`.
    """
    variables = {**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})}
    deadline = time.monotonic() + timeout_seconds
    with log.open("wb") as output:
        started = subprocess.Popen(
            command, cwd=REPOSITORY, env=variables, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        _wait_until_ready(started, is_ready, log, on_line, deadline)
        yield started.pid
    finally:
        _stop(started)


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(
    process: subprocess.Popen[bytes],
    is_ready: Callable[[], bool],
    log: Path,
    on_line: Callable[[str], None],
    deadline: float,
) -> None:
    with log.open(encoding="utf-8", errors="replace") as lines:
        while True:
            is_over, has_begun = process.poll() is not None, is_ready()
            for line in lines:
                on_line(line.rstrip("\n"))
            if is_over:
                raise ServerFailed(
                    f"The server ended with status {process.returncode} before it was ready; "
                    f"its last words are above and in {log}."
                )
            if has_begun:
                return
            if time.monotonic() > deadline:
                raise ServerFailed(f"The server was not ready in time; see {log}.")
            time.sleep(_POLL_SECONDS)


def answers(url: str) -> bool:
    """Whether a server answers there with status 200."""
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
