"""Who gets in at Twilio's door, and what those see who do wrong: they are told, and nobody else."""

import asyncio
import base64
import socket as sockets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import WSServerHandshakeError
from yarl import URL

from evaluation.caller import CallFailed
from evaluation.telephone import twilio_phone
from evaluation.telephone.line import Network
from evaluation.telephone.twilio_phone import TwilioPhone, post
from server.config import ServerConfig
from server.protocol import telephone
from server.protocol.twilio_voice import TOKEN_SECONDS, signature
from tests.fakes import Stage
from tests.server.telephone.doors import TOKEN, Doors, open_doors, sound
from tests.virtual import stall, virtual_time

FORM = {"CallSid": "CA1", "From": "+34911234567"}


@asynccontextmanager
async def stream(
    doors: Doors, *, begin: bool = True, **options: Any
) -> AsyncIterator[tuple[TwilioPhone, twilio_phone.Socket]]:
    """A stream whose messages are the test's own; `options` are the connector's."""
    connector = aiohttp.TCPConnector(**options)
    async with (
        aiohttp.ClientSession(connector=connector) as http,
        http.ws_connect(await stream_url(doors, http)) as socket,
    ):
        phone = TwilioPhone(socket, "CA1", Network(), Network())
        if begin:
            await phone.begin()
        yield phone, socket


async def stream_url(doors: Doors, http: aiohttp.ClientSession) -> str:
    answer = await post(http, f"{doors.url}/twilio/voice", TOKEN, FORM)
    return answer[0][0].attrib["url"]


async def closed(socket: twilio_phone.Socket) -> tuple[int | None, str]:
    """The code and the reason of the close, whatever came before it."""
    while True:
        message = await socket.receive(60.0)
        if message.type is aiohttp.WSMsgType.CLOSE:
            return message.data, str(message.extra)
        if message.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR):
            return socket.close_code, ""


async def media(phone: TwilioPhone, seconds: float, level: bytes = b"\x10") -> None:
    payload = base64.b64encode(level * round(8000 * seconds)).decode()
    await phone.send("media", media={"track": "inbound", "payload": payload})


async def assert_takes_a_call(doors: Doors) -> None:
    async with twilio_phone.dial(doors.url, TOKEN) as phone:
        spoken = phone.speak(sound(0.5))
        await phone.hear_out(spoken.end_seconds, 10.0, calm=0.3)


# Who gets in.


@virtual_time
async def test_without_a_token_the_door_is_closed() -> None:
    async with open_doors(twilio_auth_token="") as doors, aiohttp.ClientSession() as http:
        for method, path in (("POST", "voice"), ("POST", "after"), ("GET", "media/x")):
            async with http.request(method, f"{doors.url}/twilio/{path}") as reply:
                assert reply.status == 404
                assert "telephone.twilio_auth_token is not set" in await reply.text()


@virtual_time
@pytest.mark.parametrize("token", ["another-account's", ""])
@pytest.mark.parametrize("path", ["voice", "after"])
async def test_what_twilio_has_not_signed_is_refused(path: str, token: str) -> None:
    async with open_doors() as doors, aiohttp.ClientSession() as http:
        with pytest.raises(CallFailed, match=r"403: The X-Twilio-Signature is not .*twilio_url"):
            await post(http, f"{doors.url}/twilio/{path}", token, FORM)
        async with http.post(f"{doors.url}/twilio/{path}", data=FORM) as reply:
            assert reply.status == 403
        assert doors.server.counters.refused == {"Forbidden": 2}


async def test_a_form_that_does_not_come_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(telephone, "FORM_SECONDS", 0.2)
    async with open_doors() as doors:
        url = URL(doors.url)
        reader, writer = await asyncio.open_connection(url.host, url.port)
        writer.write(
            b"POST /twilio/voice HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\n\r\nCallSid="
        )
        assert await reader.readline() == b"HTTP/1.1 408 Request Timeout\r\n"
        assert b"did not arrive" in await reader.read(2000)
        writer.close()


@virtual_time
async def test_behind_a_proxy_the_signature_is_of_the_public_address() -> None:
    public = "https://voice.example.org"
    async with open_doors(twilio_url=public) as doors, aiohttp.ClientSession() as http:
        for form, status in (({}, 400), (FORM, 200)):
            signed = signature(TOKEN, f"{public}/twilio/voice", form.items())
            headers = {"X-Twilio-Signature": signed}
            async with http.post(f"{doors.url}/twilio/voice", data=form, headers=headers) as reply:
                assert reply.status == status
                text = await reply.text()
        assert 'action="https://voice.example.org/twilio/after"' in text
        assert 'url="wss://voice.example.org/twilio/media/' in text


@virtual_time
async def test_the_address_of_a_stream_is_good_once_and_soon() -> None:
    async with open_doors() as doors, aiohttp.ClientSession() as http:
        used = await stream_url(doors, http)
        async with http.ws_connect(used):
            late = await stream_url(doors, http)
            await asyncio.sleep(TOKEN_SECONDS + 1)
            for url in (used, late, f"{doors.url}/twilio/media", f"{doors.url}/twilio/media/x"):
                with pytest.raises(WSServerHandshakeError) as refused:
                    await http.ws_connect(url)
                assert refused.value.status == 403


@virtual_time
async def test_the_language_of_a_number_is_in_its_address() -> None:
    async with open_doors() as doors, aiohttp.ClientSession() as http:
        with pytest.raises(CallFailed, match=r"400: language='xx' is not deployed.*en, es, fr, hi"):
            await post(http, f"{doors.url}/twilio/voice?language=xx", TOKEN, FORM)
        answer = await post(http, f"{doors.url}/twilio/voice?language=hi", TOKEN, FORM)
        doors.stage.language = lambda _: "en"
        async with http.ws_connect(answer[0][0].attrib["url"]) as socket:
            phone = TwilioPhone(socket, "CA1", Network(), Network())
            await phone.begin()
            await phone.send("dtmf", dtmf={"digit": "7"})
            await phone.send("dtmf", dtmf={"digit": "#"})
            await socket.receive(30.0)
        assert "Hindi" in str(doors.stage.prompts[-1].messages[0].content)


@virtual_time
@pytest.mark.parametrize("draining", [False, True])
async def test_when_all_places_are_taken_the_line_is_busy(draining: bool) -> None:
    one = ServerConfig(max_sessions=1)
    async with open_doors(server=one) as doors, aiohttp.ClientSession() as http:
        doors.server.calls.draining = draining
        with doors.server.calls.place():
            answer = await post(http, f"{doors.url}/twilio/voice", TOKEN, FORM)
            assert (answer[0].tag, answer[0].attrib) == ("Reject", {"reason": "busy"})
            assert doors.server.counters.refused == {"Service Unavailable": 1}


# What a stream may do.


@virtual_time
async def test_a_stream_of_another_call_is_closed() -> None:
    async with open_doors() as doors, stream(doors, begin=False) as (phone, socket):
        phone.call_sid = "CA2"
        await phone.begin()
        assert await closed(socket) == (1008, "The stream is of another call than its address.")


@virtual_time
async def test_a_stream_that_does_not_say_what_call_it_is_of_is_closed() -> None:
    async with open_doors() as doors, stream(doors, begin=False) as (_, socket):
        assert await closed(socket) == (1008, "No start message came within 10 s.")
        async with stream(doors, begin=False) as (phone, other):
            await phone.send("start", start={"streamSid": "MZ1"})
            code, reason = await closed(other)
        assert code == 1008
        assert "Missing required parameter: 'start.mediaFormat'" in reason


@virtual_time
async def test_wrong_messages_are_ignored_and_the_call_goes_on() -> None:
    async with open_doors() as doors, stream(doors) as (phone, socket):
        for text in ("{", "[]", '{"event": 7}', '{"event": "media"}', "[" * 9999, '"\\ud800"'):
            await socket.send_str(text)
        await socket.send_bytes(b"\x00\x01")
        await phone.send("of-the-future", body={})
        await phone.begin()  # a replay: the call has begun
        for name in ("1", "1", "no-such-mark"):
            await phone.send("mark", mark={"name": name})
        await media(phone, 0.8)
        await media(phone, 1.5, b"\xff")
        assert (await socket.receive_json(timeout=30.0))["event"] == "media"
    assert doors.stage.prompts


@virtual_time
async def test_too_many_wrong_messages_end_it() -> None:
    async with open_doors() as doors, stream(doors) as (_, socket):
        for _ in range(21):
            await socket.send_str("{")
        code, reason = await closed(socket)
        assert code == 1008
        assert reason.startswith("The message is not valid JSON")
        await assert_takes_a_call(doors)


@virtual_time
async def test_a_message_that_is_too_long_ends_it() -> None:
    async with open_doors() as doors, stream(doors) as (phone, socket):
        await media(phone, 7.0)
        assert (await closed(socket))[0] == 1009
        await assert_takes_a_call(doors)


@virtual_time
async def test_a_flood_of_audio_ends_it_and_no_other_call() -> None:
    async with open_doors() as doors, twilio_phone.dial(doors.url, TOKEN) as good:
        spoken = good.speak(sound(0.5))
        async with stream(doors) as (phone, socket):
            for _ in range(7):
                await media(phone, 1.0)
            code, reason = await closed(socket)
        assert (code, reason[:27]) == (1008, "Audio or keys come faster t")
        await good.hear_out(spoken.end_seconds, 10.0, calm=0.3)


@virtual_time
async def test_a_stall_of_ours_is_not_held_against_the_caller() -> None:
    async with open_doors() as doors, stream(doors) as (phone, socket):
        await media(phone, 1.0)
        await asyncio.sleep(0.5)
        for _ in range(8):
            await media(phone, 1.0)
        stall(8.0)
        await media(phone, 1.0, b"\xff")
        assert (await socket.receive_json(timeout=10.0))["event"] == "media"
    assert len(doors.stage.prompts) == 1


@virtual_time
async def test_who_does_not_read_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    """Once their buffers and ours are full; until then nothing is lost."""
    stage = Stage(answer=["One two three four."] * 3, speech_seconds_per_character=1.0)
    async with open_doors(stage, twilio_lead_seconds=10.0) as doors:
        async with stream(doors, socket_factory=_small_socket) as (phone, _):
            await media(phone, 0.8)
            await media(phone, 1.5, b"\xff")
            async with asyncio.timeout(60):
                while doors.server.counters.sessions:  # noqa: ASYNC110 (nothing tells of it)
                    await asyncio.sleep(0.1)
        assert "Twilio does not read what it is sent" in caplog.text
        assert not stage.open_jobs
        stage.answer, stage.speech_seconds_per_character = ["Yes."], 0.06
        await assert_takes_a_call(doors)


def _small_socket(info: Any) -> sockets.socket:
    made = sockets.socket(info[0], info[1], info[2])
    made.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    return made


@virtual_time
async def test_who_sends_nothing_is_heard_as_silent() -> None:
    """The server's clock is the caller's audio; without any it would stand still."""
    async with open_doors() as doors, stream(doors) as (_, socket):
        message = await socket.receive_json(timeout=90.0)
        assert message["event"] == "media"  # "Are you still there?", after a minute of nothing
        assert asyncio.get_running_loop().time() > 59


@virtual_time
async def test_going_down_closes_the_streams() -> None:
    async with open_doors() as doors, stream(doors) as (phone, socket):
        await media(phone, 0.5)
        await doors.server.calls.close_sockets()
        assert (await closed(socket))[0] == 1001
    assert not doors.stage.open_jobs
