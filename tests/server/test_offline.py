"""What an offline process refuses. In a process of its own, since an audit hook stays for good."""

import json
import subprocess
import sys

import pytest

from engines.config import REPOSITORY

ATTEMPTS = """
import json, os, socket
from dataclasses import replace
from server import offline
from server.config import Config

config = Config()
offline.enforce(replace(config, server=replace(config.server, host="voice.invalid")))

def attempt(action):
    try:
        action()
    except offline.OutboundRefused as refused:
        return str(refused)
    except OSError:
        return "tried"
    return "done"

listener = socket.create_server(("127.0.0.1", 0))
port = listener.getsockname()[1]
a, b = socket.socketpair()
udp = socket.socket(type=socket.SOCK_DGRAM)
print(json.dumps({
    "another machine": attempt(lambda: socket.create_connection(("192.0.2.1", 443), 0.1)),
    "a name": attempt(lambda: socket.create_connection(("hub.invalid", 443), 0.1)),
    "a look-up": attempt(lambda: socket.gethostbyname("hub.invalid")),
    "a datagram": attempt(lambda: udp.sendto(b"?", ("192.0.2.1", 53))),
    "this machine": attempt(lambda: socket.create_connection(("127.0.0.1", port), 1)),
    "localhost": attempt(lambda: socket.create_connection(("localhost", port), 1)),
    "its own name": attempt(lambda: socket.getaddrinfo("voice.invalid", 80)),
    "any address": attempt(lambda: socket.getaddrinfo(None, 80, flags=socket.AI_PASSIVE)),
    "a pair": attempt(lambda: a.sendmsg([b"x"])),
    "a file": attempt(lambda: socket.socket(socket.AF_UNIX).connect("/nowhere")),
    "libraries": os.environ["HF_HUB_OFFLINE"],
}))
"""


@pytest.fixture(scope="module")
def results() -> dict[str, str]:
    command = [sys.executable, "-c", ATTEMPTS]
    run = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True)
    result: dict[str, str] = json.loads(run.stdout)
    return result


@pytest.mark.parametrize("what", ["another machine", "a name", "a look-up", "a datagram"])
def test_what_leaves_the_machine_is_refused_with_the_way_out(
    results: dict[str, str], what: str
) -> None:
    assert "is not this machine" in results[what]
    assert "server.offline = false" in results[what]


def test_what_stays_is_not(results: dict[str, str]) -> None:
    assert {results[what] for what in ("this machine", "localhost", "any address", "a pair")} == {
        "done"
    }
    assert results["its own name"] == "tried"
    assert results["a file"] == "tried"
    assert results["libraries"] == "1"
