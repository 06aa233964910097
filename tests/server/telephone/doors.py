"""A server on scripted engines with both telephone doors open."""

import socket as sockets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from aiohttp.test_utils import TestServer, get_port_socket

from evaluation.recording import Pcm
from server.app import Server
from server.config import Config, ConversationConfig, ServerConfig, TelephoneConfig
from server.g711 import RATE_HZ
from tests.fakes import Stage
from tests.server.play import PLAIN

TOKEN = "an-account's-token"
LONG_ANSWER = ("One two three four five six seven eight nine ten eleven twelve thirteen.",)


@dataclass(frozen=True, slots=True)
class Doors:
    """A running server."""

    server: Server
    stage: Stage
    url: str  # "http://127.0.0.1:8080"
    port: int  # of AudioSocket


@asynccontextmanager
async def open_doors(
    stage: Stage | None = None,
    *,
    server: ServerConfig | None = None,
    conversation: ConversationConfig | None = None,
    **telephone: Any,
) -> AsyncIterator[Doors]:
    """Both doors, for as long as the block runs; `telephone` are fields of its configuration."""
    stage = stage or Stage()
    defaults = {"twilio_auth_token": TOKEN, "audiosocket": True, "audiosocket_port": 0}
    config = replace(
        Config(),
        server=server or ServerConfig(),
        conversation=conversation or PLAIN,
        telephone=TelephoneConfig(**{**defaults, **telephone}),
    )
    served = Server(config, stage.engines)
    async with TestServer(served.application(), socket_factory=_small_socket) as running:
        yield Doors(served, stage, str(running.make_url("")).rstrip("/"), served.audiosocket.port)


def _small_socket(host: str, port: int, family: sockets.AddressFamily) -> sockets.socket:
    """With room for so little that who does not read is soon noticed."""
    made = get_port_socket(host, port, family)
    made.setsockopt(sockets.SOL_SOCKET, sockets.SO_SNDBUF, 8192)
    return made


def sound(seconds: float) -> Pcm:
    """What the scripted engines take for speech: int16[n] at 8 kHz."""
    return np.full(round(seconds * RATE_HZ), 16_000, dtype=np.int16)
