"""The whole server where there is no network, and what it asked of the network where it ran.

The server process also runs with an audit hook of ours, which writes down every socket that it
connects and every name that it looks up (`sitecustomize` is what Python runs first).
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from engines.config import REPOSITORY

AUDIT = """
import os, sys

_WATCHED = ("socket.connect", "socket.getaddrinfo", "socket.gethostby", "socket.sendto",
            "socket.sendmsg", "socket.bind")

def _hook(event, arguments):
    if event.startswith(_WATCHED) and sys.argv[0].endswith("server/__main__.py"):
        with open(os.environ["AUDIT_LOG"], "a") as log:
            log.write(f"{event} {arguments[1:] if event != 'socket.getaddrinfo' else arguments}\\n")

sys.addaudithook(_hook)
"""
# As root, and for who may make namespaces of their own.
WAYS = (["unshare", "--net"], ["unshare", "--map-root-user", "--net"])


@dataclass(frozen=True, slots=True)
class Held:
    """The conversation, and what the server asked of the network meanwhile."""

    result: Mapping[str, Any]
    audit: tuple[str, ...]
    why_not_alone: str  # empty when there was nothing but loopback


def way_to_be_alone() -> tuple[list[str], str]:
    """The command before a command that gives it an empty network, else why there is none."""
    reasons = []
    for way in WAYS:
        try:
            run = subprocess.run([*way, "true"], capture_output=True, text=True, check=False)
        except FileNotFoundError:
            return [], "unshare (util-linux) is not installed"
        if run.returncode == 0:
            return way, ""
        reasons.append(run.stderr.strip())
    return [], f"this machine allows no network namespace: {'; '.join(reasons)}"


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Held:
    folder = tmp_path_factory.mktemp("airgap")
    (folder / "sitecustomize.py").write_text(AUDIT)
    log = folder / "audit.log"
    environment = {**os.environ, "PYTHONPATH": str(folder), "AUDIT_LOG": str(log)}
    way, why_not = way_to_be_alone()
    command = [*way, sys.executable, "-m", "tests.airgap.conversation", str(folder)]
    run = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return Held(json.loads(run.stdout), tuple(log.read_text().splitlines()), why_not)


def test_a_conversation_is_held_where_there_is_nothing_but_loopback(held: Held) -> None:
    if held.why_not_alone:
        pytest.skip(held.why_not_alone)
    assert held.result["interfaces"] == ["lo"]
    assert "unreachable" in held.result["outside"]
    assert [turn["problems"] for turn in held.result["turns"]] == [[], []]
    assert all(turn["answer"] for turn in held.result["turns"])


def test_serving_opens_no_outbound_socket_and_resolves_no_name(held: Held) -> None:
    assert [turn["problems"] for turn in held.result["turns"]] == [[], []]
    listening = [line for line in held.audit if line.startswith("socket.bind")]
    assert len(listening) == 1
    assert "'127.0.0.1'" in listening[0]
    assert [line for line in held.audit if line not in listening] == []
