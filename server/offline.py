"""Offline is kept, not only hoped for: this process reaches no other machine by itself.

Python tells an audit hook of every connection and every look-up of a name before it is made; ours
refuses those that leave the machine. Callers come in; nothing goes out. The libraries that can
fetch models are told too, so that they do not even try. What a library does in C goes past the
hook: that none does is what `make airgap` shows, where there is no network at all.
"""

import ipaddress
import os
import sys
from collections.abc import Collection
from dataclasses import fields
from typing import Any

from server.config import Config

_TOLD = {
    "HF_HUB_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
}
_SENDING = {"socket.connect", "socket.sendto", "socket.sendmsg"}
_LOOKING_UP = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}


class OutboundRefused(OSError):
    """Something in this process tried to reach another machine."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"{host} is not this machine, and the server is offline. server.offline = false lets "
            "it reach others."
        )


def enforce(config: Config) -> None:
    """From now on, until the process ends. Call it before the engines are imported."""
    os.environ.update(_TOLD)
    own = {"", "localhost", *_addresses(config)}

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _SENDING:
            host = _host(arguments[1])
            if not (host in own or _number(host, loopback=True)):
                raise OutboundRefused(host)
        elif event in _LOOKING_UP:
            host = _text(arguments[0])
            if not (host in own or _number(host)):
                raise OutboundRefused(host)

    sys.addaudithook(hook)


def _addresses(config: Config) -> Collection[str]:
    """What the server listens on, which may be names."""
    sections = [getattr(config, section.name) for section in fields(config)]
    return [
        getattr(section, item.name)
        for section in sections
        for item in fields(section)
        if item.name.endswith("host")
    ]


def _host(address: object) -> str:
    """Of a socket's address; empty for one that is a file, or that is connected already."""
    return _text(address[0]) if isinstance(address, tuple) else ""


def _text(host: object) -> str:
    return host.decode("ascii", "replace") if isinstance(host, bytes) else str(host or "")


def _number(host: str, *, loopback: bool = False) -> bool:
    """Whether it is a numeric address, which needs no look-up; if asked, one of this machine."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or not loopback
