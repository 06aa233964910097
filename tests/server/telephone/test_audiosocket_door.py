"""Who gets in at AudioSocket's door, and what those see who do wrong; nobody else is disturbed."""

import asyncio
import socket as sockets
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import pytest

from engines.errors import ConfigError
from evaluation.telephone import audiosocket_phone
from evaluation.telephone.audiosocket_phone import announce, ask_after, frame
from server.app import Server
from server.config import Config, ServerConfig, TelephoneConfig
from tests.fakes import Stage
from tests.server.telephone.doors import Doors, open_doors, sound
from tests.virtual import stall, virtual_time

CALL = uuid.UUID("40325ec2-5efd-4bd3-805f-53576e581d13")
BEGIN = frame(0x01, CALL.bytes)
SPEECH = b"\x00\x40" * 8000  # a second of it
TERMINATED = b"\x00\x00\x00"
SILENCE = frame(0x10, bytes(320))


@dataclass
class Wire:
    """A connection whose bytes are the test's own."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def send(self, *frames: bytes) -> None:
        self.writer.write(b"".join(frames))

    async def rest(self) -> bytes:
        """All that comes until the server closes."""
        async with asyncio.timeout(300):
            return await self.reader.read()


@asynccontextmanager
async def connected(doors: Doors) -> AsyncIterator[Wire]:
    wire = Wire(*await asyncio.open_connection("127.0.0.1", doors.port))
    try:
        yield wire
    finally:
        wire.writer.close()


async def assert_takes_a_call(doors: Doors) -> None:
    async with audiosocket_phone.dial("127.0.0.1", doors.port) as phone:
        spoken = phone.speak(sound(0.5))
        await phone.hear_out(spoken.end_seconds, 10.0, calm=0.3)


class Gone:
    """The writer of a connection that has been reset before it was taken."""

    is_closed = False

    def get_extra_info(self, name: str) -> None:
        return None

    def close(self) -> None:
        self.is_closed = True


# Who gets in.


@virtual_time
async def test_the_door_is_closed_until_it_is_configured() -> None:
    async with open_doors(audiosocket=False) as doors:
        assert doors.port == 0


@virtual_time
async def test_who_is_gone_before_they_are_taken_leaves_nothing_open() -> None:
    async with open_doors() as doors:
        writer: Any = Gone()
        await doors.server.audiosocket._serve(asyncio.StreamReader(), writer)
        assert writer.is_closed


@virtual_time
async def test_only_named_peers_may_call() -> None:
    async with open_doors(audiosocket_peers=("10.0.0.0/8", "::1")) as doors:
        async with connected(doors) as wire:
            assert await wire.rest() == b""
        assert doors.server.counters.refused == {"Forbidden": 1}


@virtual_time
@pytest.mark.parametrize(
    "first", [SILENCE, frame(0x01, b"short"), frame(0x77), b"GET / HTTP/1.1\r\n"]
)
async def test_who_does_not_begin_with_a_uuid_is_sent_away(first: bytes) -> None:
    async with open_doors() as doors, connected(doors) as wire:
        wire.send(first)
        assert await wire.rest() == TERMINATED


@virtual_time
async def test_who_says_nothing_is_sent_away_after_a_while() -> None:
    async with open_doors() as doors, connected(doors) as wire:
        wire.send(b"\x01\x00")  # the half of a header
        assert await wire.rest() == TERMINATED
        assert asyncio.get_running_loop().time() == pytest.approx(5.0, abs=0.1)


@virtual_time
async def test_when_all_places_are_taken_the_dialplan_is_told() -> None:
    async with open_doors(server=ServerConfig(max_sessions=1)) as doors:
        with doors.server.calls.place():
            async with connected(doors) as wire:
                wire.send(BEGIN)
                assert await wire.rest() == TERMINATED
        assert await ask_after(doors.url, str(CALL).upper()) == "full"
        assert doors.server.counters.refused == {"Service Unavailable": 1}
        await assert_takes_a_call(doors)


@virtual_time
async def test_a_call_that_goes_on_is_not_taken_twice() -> None:
    async with open_doors() as doors, connected(doors) as first, connected(doors) as second:
        first.send(BEGIN)
        await first.reader.readexactly(len(SILENCE))
        second.send(BEGIN)
        assert await second.rest() == TERMINATED
        assert await first.reader.readexactly(3) == SILENCE[:3]


@virtual_time
async def test_the_fate_of_a_call_is_told_to_who_has_a_key() -> None:
    key = "a-key-of-sixteen-characters"
    async with open_doors(server=ServerConfig(api_keys=(key,))) as doors:
        assert "needs an API key" in await ask_after(doors.url, str(CALL))
        headers = {"Authorization": f"Bearer {key}"}
        url = f"{doors.url}/audiosocket/after/{CALL}"
        async with aiohttp.ClientSession() as http, http.get(url, headers=headers) as reply:
            assert await reply.text() == "over"


@virtual_time
@pytest.mark.parametrize(
    ("number", "language"),
    [("+639171234567", "Tagalog"), ("+34911234567", "Spanish"), ("", "English")],
)
async def test_the_number_that_was_told_before_begins_the_belief(
    number: str, language: str
) -> None:
    async with open_doors() as doors, connected(doors) as wire:
        if number:
            assert await announce(doors.url, str(CALL).upper(), number) == 200
        wire.send(BEGIN, frame(0x03, b"4"), frame(0x03, b"#"))
        await asyncio.sleep(1.0)
        assert language in doors.stage.llm.jobs[-1].request.messages[0].content


@virtual_time
async def test_a_number_is_told_by_who_has_a_key_and_is_no_longer_than_one() -> None:
    key = "a-key-of-sixteen-characters"
    async with open_doors(server=ServerConfig(api_keys=(key,))) as doors:
        assert await announce(doors.url, str(CALL), "+639171234567") == 401
    async with open_doors() as doors:
        assert await announce(doors.url, str(CALL), "9" * 41) == 400


# What a connection may do.


@virtual_time
async def test_wrong_frames_are_ignored_and_the_call_goes_on() -> None:
    async with open_doors() as doors, connected(doors) as wire:
        wrong = [frame(0x10, b"\x01"), frame(0x12, bytes(640)), frame(0x77), frame(0x03, b"xx")]
        wire.send(BEGIN, *wrong, BEGIN, frame(0x10, SPEECH), frame(0x10, bytes(24_000)))
        heard = bytearray()
        async with asyncio.timeout(30):
            while not any(heard):
                heard += (await wire.reader.readexactly(len(SILENCE)))[3:]
    assert doors.stage.prompts


@virtual_time
async def test_too_many_wrong_frames_end_the_call() -> None:
    async with open_doors() as doors, connected(doors) as wire:
        wire.send(BEGIN, *[frame(0x77)] * 21)
        assert (await wire.rest())[-3:] == TERMINATED
        await assert_takes_a_call(doors)


@virtual_time
@pytest.mark.parametrize("end", [TERMINATED, frame(0xFF, b"\x01"), frame(0xFF)])
async def test_asterisk_hangs_up(end: bytes) -> None:
    async with open_doors() as doors, connected(doors) as wire:
        wire.send(BEGIN, frame(0x10, SPEECH), end)
        assert (await wire.rest())[-3:] == TERMINATED
        assert not doors.server.counters.sessions
    assert not doors.stage.open_jobs


@virtual_time
async def test_a_flood_of_audio_ends_the_call_and_no_other() -> None:
    async with open_doors() as doors, audiosocket_phone.dial("127.0.0.1", doors.port) as good:
        spoken = good.speak(sound(0.5))
        async with connected(doors) as wire:
            wire.send(BEGIN, *[frame(0x10, bytes(65_534))] * 4)
            assert (await wire.rest())[-3:] == TERMINATED
        await good.hear_out(spoken.end_seconds, 10.0, calm=0.3)


@virtual_time
async def test_a_stall_of_ours_is_not_held_against_the_caller() -> None:
    """Their second of speech, and what they said meanwhile: one turn, with no silence in it."""
    async with open_doors() as doors, connected(doors) as wire:
        wire.send(BEGIN, frame(0x10, SPEECH))
        await asyncio.sleep(0.5)
        wire.send(*[frame(0x10, SPEECH)] * 8)
        stall(8.0)
        await asyncio.sleep(0.05)
        assert not doors.stage.prompts
        wire.send(*[SILENCE] * 50)
        heard = bytearray()
        async with asyncio.timeout(10):
            while not any(heard):
                heard += (await wire.reader.readexactly(len(SILENCE)))[3:]
    assert len(doors.stage.prompts) == 1


@virtual_time
async def test_who_does_not_read_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    """Once their buffers and ours are full."""
    async with open_doors() as doors:
        with sockets.create_connection(("127.0.0.1", doors.port)) as deaf:
            deaf.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
            deaf.sendall(BEGIN)
            async with asyncio.timeout(100):
                while "Asterisk does not read" not in caplog.text:  # noqa: ASYNC110 (a log tells it)
                    await asyncio.sleep(0.1)
        await assert_takes_a_call(doors)


@virtual_time
async def test_who_sends_nothing_is_heard_as_silent_and_left_in_the_end() -> None:
    """With a frame begun that never ends."""
    async with open_doors() as doors, connected(doors) as wire:
        wire.send(BEGIN, b"\x10\xff\xff\x00")
        spoken = await wire.rest()
        assert spoken[-3:] == TERMINATED
        assert asyncio.get_running_loop().time() > 120  # asked after a minute, left after another
    assert not doors.stage.open_jobs


@virtual_time
async def test_going_down_terminates_the_calls() -> None:
    stage = Stage()
    async with open_doors(stage) as doors:
        wire = Wire(*await asyncio.open_connection("127.0.0.1", doors.port))
        wire.send(BEGIN, frame(0x10, SPEECH))
        await wire.reader.readexactly(len(SILENCE))
    assert (await wire.rest())[-3:] == TERMINATED
    wire.writer.close()
    assert not stage.open_jobs


@virtual_time
async def test_a_port_that_is_taken_is_named() -> None:
    async with open_doors() as doors:
        telephone = TelephoneConfig(audiosocket=True, audiosocket_port=doors.port)
        other = Server(replace(Config(), telephone=telephone), Stage().engines)
        runner = aiohttp.web.AppRunner(other.application())
        with pytest.raises(ConfigError, match=f"telephone.audiosocket_port.*{doors.port}"):
            await runner.setup()
        await runner.cleanup()


async def test_a_host_that_is_none_is_named() -> None:
    telephone = TelephoneConfig(audiosocket=True, audiosocket_host="a..b")
    server = Server(replace(Config(), telephone=telephone), Stage().engines)
    runner = server.runner()
    with pytest.raises(ConfigError, match=r"cannot listen on a\.\.b:"):
        await runner.setup()
    await runner.cleanup()
