"""Who comes in to the REST door, what they may bring, and what they are told when not."""

import asyncio
import gzip
import io
import json

import pytest
import requests
from aiohttp import ClientResponse, FormData
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.errors import EngineError, Overloaded
from server.config import RestConfig
from server.rest.routes import Rest
from tests.server.rest.door import (
    KEY,
    client_of,
    form,
    instant,
    loud,
    quiet,
    served,
    server_on,
    wav,
)

CHAT = {"messages": [{"role": "user", "content": "Hello."}]}


async def code_of(response: ClientResponse) -> str:
    """The code of OpenAI's error object."""
    error = (await response.json())["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return str(error["code"])


async def test_a_key_is_asked_for() -> None:
    async with client_of(server_on(instant(), api_keys=(KEY,))) as client:
        for headers, status in (
            ({}, 401),
            ({"Authorization": "Bearer wrong"}, 401),
            ({"Authorization": f"Bearer {KEY}"}, 200),
        ):
            response = await client.post("/v1/chat/completions", json=CHAT, headers=headers)
            assert response.status == status
            for path in ("/v1/models", "/metrics"):
                assert (await client.get(path, headers=headers)).status == status
        refused = await client.get("/v1/models")
        assert await code_of(refused) == "invalid_api_key"
        assert refused.headers["WWW-Authenticate"] == "Bearer"
        assert (await client.get("/openapi.json")).status == 200


async def test_a_page_of_another_origin_needs_to_be_allowed() -> None:
    allowed = "https://example.org"
    server = server_on(instant(), allowed_origins=(allowed,))
    operations = Rest(server.calls).operations
    async with client_of(server) as client:
        for origin, status in ((allowed, 200), ("https://elsewhere.org", 403)):
            asked = {"Origin": origin, "Access-Control-Request-Headers": "x-stainless-os"}
            preflight = await client.options("/v1/chat/completions", headers=asked)
            assert preflight.status == (204 if status == 200 else 403)
            answer = await client.post(
                "/v1/chat/completions", json=CHAT, headers={"Origin": origin}
            )
            assert answer.status == status
            readable = answer.headers.get("Access-Control-Allow-Origin")
            assert readable == (origin if status == 200 else None)
            if status == 200:
                exposed = set(answer.headers["Access-Control-Expose-Headers"].split(", "))
                headers = {name for each in operations for name in each.answer_headers}
                assert exposed == {"X-Request-Id", *headers}
        assert await code_of(answer) == "origin_not_allowed"


async def test_full_is_said_with_a_time_to_come_again() -> None:
    stage = instant()
    stage.token_seconds = 30.0
    async with client_of(server_on(stage, RestConfig(max_requests=1))) as client:
        first = asyncio.create_task(client.post("/v1/chat/completions", json=CHAT))
        while not stage.llm.jobs:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        second = await client.post("/v1/chat/completions", json=CHAT)
        assert second.status == 503
        assert second.headers["Retry-After"]
        assert await code_of(second) == "server_full"
        assert (await client.get("/v1/models")).status == 200
        first.cancel()


async def test_a_server_that_goes_down_takes_no_request() -> None:
    server = server_on(instant())
    async with client_of(server) as client:
        server.calls.draining = True
        refused = await client.post("/v1/chat/completions", json=CHAT)
        assert refused.status == 503
        error = (await refused.json())["error"]
        assert error["message"] == "The server is going down. Try again shortly."


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Overloaded("llm has 256 jobs waiting."), 503, "overloaded"),
        (EngineError("llm failed."), 500, "engine_error"),
        (RuntimeError("a defect"), 500, "internal_error"),
    ],
)
async def test_what_fails_behind_the_door_is_answered(
    error: Exception, status: int, code: str
) -> None:
    stage = instant(llm_error=error)
    async with client_of(server_on(stage)) as client:
        for body in (CHAT, {**CHAT, "stream": True}):
            response = await client.post("/v1/chat/completions", json=body)
            assert response.status == status
            assert ("Retry-After" in response.headers) == (status == 503)
            assert await code_of(response) == code
        stage.llm_error = None
        assert (await client.post("/v1/chat/completions", json=CHAT)).status == 200
    assert not stage.open_jobs


async def test_a_client_that_goes_away_ends_its_work() -> None:
    stage = instant()
    stage.stt_seconds = 30.0
    server = server_on(stage)
    async with client_of(server) as client:
        upload = form(wav(loud(1)))
        request = asyncio.create_task(client.post("/v1/audio/transcriptions", data=upload))
        while not stage.stt.jobs:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        request.cancel()
        async with asyncio.timeout(10):
            while server.counters.requests:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    assert not stage.open_jobs


async def test_a_slow_sender_is_not_waited_for() -> None:
    async with client_of(server_on(instant(), RestConfig(receive_seconds=0.2))) as client:
        reader, writer = await asyncio.open_connection(client.host, client.port)
        writer.write(
            b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n"
            b"Content-Type: application/json\r\n\r\n{"
        )
        assert await reader.readline() == b"HTTP/1.1 408 Request Timeout\r\n"
        assert b"request_timeout" in await reader.read(2000)
        writer.close()


async def test_a_client_that_does_not_read_is_dropped() -> None:
    stage = instant()
    stage.speech_seconds_per_character = 0.3
    server = server_on(stage, RestConfig(stall_seconds=0.2))
    async with client_of(server) as client:
        body = json.dumps({"input": "word " * 400, "response_format": "wav"}).encode()
        _, writer = await asyncio.open_connection(client.host, client.port, limit=1024)
        head = f"Content-Length: {len(body)}\r\nContent-Type: application/json\r\n\r\n"
        writer.write(b"POST /v1/audio/speech HTTP/1.1\r\nHost: a\r\n" + head.encode() + body)
        async with asyncio.timeout(20):
            while not stage.tts.jobs or server.counters.requests:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        writer.close()
    assert not stage.open_jobs


@pytest.mark.parametrize(
    ("headers", "data", "status", "code"),
    [
        ({"Content-Type": "application/json"}, b"{", 400, "invalid_json"),
        ({"Content-Type": "application/json"}, b"[" * 100_000, 400, "invalid_json"),
        ({"Content-Type": "application/json"}, b"\xff", 400, "invalid_json"),
        ({"Content-Type": "application/json"}, b" " * 1_100_000, 413, "body_too_large"),
        ({"Content-Type": "text/plain"}, b"{}", 415, "unsupported_media_type"),
        (
            {"Content-Type": "application/json", "Content-Encoding": "gzip"},
            gzip.compress(b" " * 50_000_000),
            413,
            "body_too_large",
        ),
    ],
)
async def test_a_body_that_is_no_chat(
    headers: dict[str, str], data: bytes, status: int, code: str
) -> None:
    async with client_of(server_on(instant())) as client:
        body = io.BytesIO(data)
        response = await client.post("/v1/chat/completions", data=body, headers=headers)
        assert response.status == status
        assert await code_of(response) == code


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (form(None, model="any"), 400, "missing_required_parameter"),
        (form(b"no audio"), 400, "invalid_audio"),
        (form(b"x" * 1_100_000), 413, "body_too_large"),
        (form(wav(quiet(1)), prompt="x" * 70_000), 413, "body_too_large"),
        (form(wav(quiet(1)), **{f"field{n}": "" for n in range(70)}), 400, "invalid_form"),
        (form(wav(quiet(1)), unknown="1"), 400, "unknown_parameter"),
        (form(wav(quiet(1)), language="xx"), 400, "invalid_value"),
        (form(wav(quiet(1)), temperature="hot"), 400, "invalid_value"),
        (form(wav(quiet(9))), 413, "audio_too_long"),
    ],
)
async def test_a_form_that_cannot_be_transcribed(body: FormData, status: int, code: str) -> None:
    rest = RestConfig(max_upload_megabytes=1, max_audio_seconds=5.0)
    async with client_of(server_on(instant(), rest)) as client:
        response = await client.post("/v1/audio/transcriptions", data=body)
        assert response.status == status
        assert await code_of(response) == code


PIECES = (
    b"--line\r\n",
    b"--line--\r\n",
    b"\r\n\r\n",
    b'Content-Disposition: form-data; name="file"\r\n',
    b"Content-Disposition: form-data\r\n",
    b"Content-Type: multipart/mixed; boundary=line\r\n",
    b"Content-Transfer-Encoding: base64\r\n",
    b"Content-Encoding: gzip\r\n",
    b"\0",
)


def test_any_bytes_for_a_form_are_refused_and_the_server_lives() -> None:
    with served(server_on(instant())) as address, requests.Session() as http:

        @settings(max_examples=60, deadline=None)
        @given(parts=st.lists(st.sampled_from(PIECES) | st.binary(max_size=20), max_size=12))
        def ask(parts: list[bytes]) -> None:
            headers = {"Content-Type": "multipart/form-data; boundary=line"}
            url = f"{address}/v1/audio/transcriptions"
            answer = http.post(url, data=b"".join(parts), headers=headers, timeout=20)
            assert 400 <= answer.status_code < 500
            assert answer.json()["error"]["message"]

        ask()
        assert http.get(f"{address}/healthz", timeout=20).status_code == 200
