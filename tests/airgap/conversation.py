"""Hold a conversation with a server of our own and print, as JSON, how it went and what was there.

Run by the tests in a network namespace that has nothing but loopback: `unshare` gives it a new one,
in which even loopback is down at first.
"""

import asyncio
import fcntl
import json
import socket
import struct
import sys
from dataclasses import asdict
from pathlib import Path

from evaluation.caller import RATE_HZ, call
from evaluation.demo import scripts
from evaluation.server_process import server_process
from evaluation.speech import synthesize
from evaluation.turns import Turn, take_turn

_GET_FLAGS, _SET_FLAGS = 0x8913, 0x8914  # SIOCGIFFLAGS, SIOCSIFFLAGS
_UP = 0x1
_LANGUAGE, _TURNS = "en", 2


def raise_loopback() -> None:
    """`ip link set lo up`, which needs iproute2, which not every machine has."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        request = struct.pack("16sh14x", b"lo", 0)
        name, flags = struct.unpack("16sh14x", fcntl.ioctl(probe, _GET_FLAGS, request))
        fcntl.ioctl(probe, _SET_FLAGS, struct.pack("16sh14x", name, flags | _UP))


def outside() -> str:
    """What comes of reaching for another machine."""
    try:
        socket.create_connection(("192.0.2.1", 443), timeout=0.5).close()
    except OSError as error:
        return str(error)
    return "reached"


async def hold(url: str) -> list[Turn]:
    """A few turns in real time."""
    async with call(url) as caller:
        turns = []
        for said in scripts()[_LANGUAGE].says[:_TURNS]:
            speech = await asyncio.to_thread(synthesize, said, _LANGUAGE, RATE_HZ)
            turns.append(await take_turn(caller, _LANGUAGE, said, speech))
        return turns


def main(folder: Path) -> None:
    """Print the result as one line of JSON."""
    interfaces = [name for _, name in socket.if_nameindex()]
    if interfaces == ["lo"]:
        raise_loopback()
    config = folder / "tinig.toml"
    config.touch()  # not the owner's
    with server_process(folder / "server.log", arguments=["--config", str(config)]) as server:
        turns = asyncio.run(hold(server.realtime_url))
    result = {
        "interfaces": interfaces,
        "outside": outside(),
        "turns": [asdict(turn) for turn in turns],
    }
    sys.stdout.write(json.dumps(result))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
