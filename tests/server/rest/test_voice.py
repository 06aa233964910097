"""`/api/v1/voice/process` on scripted engines: turns of one conversation, each a request."""

import asyncio
import io
import wave
from typing import Any
from urllib.parse import unquote

import pytest
from aiohttp import ClientResponse

from engines.batcher import Priority
from engines.errors import EngineError, Overloaded
from server.config import RestConfig
from tests.server.rest.door import KEY, Client, client_of, form, instant, loud, server_on, wav
from tests.virtual import virtual_time

URL = "/api/v1/voice/process"


async def say(client: Client, session: str = "", **options: Any) -> ClientResponse:
    headers = {
        "Content-Type": "audio/wav",
        "X-Tinig-Session": session,
        **options.pop("headers", {}),
    }
    client.session.cookie_jar.clear()
    return await client.post(URL, data=io.BytesIO(wav(loud(1))), headers=headers, **options)


async def test_a_turn_is_a_file_with_its_words_in_the_headers() -> None:
    stage = instant(heard="¿Qué hora es?", answer=("Son las ", "doce."), language="es")
    async with client_of(server_on(stage)) as client:
        response = await say(client)
        with wave.open(io.BytesIO(await response.read())) as file:
            assert file.getframerate() == 24_000
            assert file.getnframes() / 24_000 == pytest.approx(13 * 0.06, rel=0.01)
    assert unquote(response.headers["X-Tinig-Transcript"]) == "¿Qué hora es?"
    assert unquote(response.headers["X-Tinig-Answer"]) == "Son las doce."
    assert response.headers["X-Tinig-Language"] == "es"
    assert {job.priority for job in stage.llm.jobs} == {Priority.OFFLINE}


async def test_the_conversation_goes_on_by_its_name_or_its_cookie() -> None:
    stage = instant()
    async with client_of(server_on(stage)) as client:
        first = await say(client)
        name = first.headers["X-Tinig-Session"]
        second = await say(client, name)
        assert second.headers["X-Tinig-Session"] == name
        third = await client.post(URL, data=form(wav(loud(1))), cookies={"tinig_session": name})
        assert third.status == 200
        cookie = first.cookies["tinig_session"]
        assert cookie["httponly"]
        assert cookie["samesite"] == "Strict"
    said = [message.content for message in stage.prompts[-1].messages if message.role != "system"]
    assert said == [
        "What is the capital of France?",
        "The capital of France is Paris.",
    ] * 2 + ["What is the capital of France?"]


async def test_a_conversation_belongs_to_the_key_that_began_it() -> None:
    other = "another-key-of-sixteen"
    stage = instant()
    async with client_of(server_on(stage, api_keys=(KEY, other))) as client:
        first = await say(client, headers={"Authorization": f"Bearer {KEY}"})
        name = first.headers["X-Tinig-Session"]
        stranger = await say(client, name, headers={"Authorization": f"Bearer {other}"})
        assert stranger.status == 200
        assert stranger.headers["X-Tinig-Session"] != name
    assert len(stage.prompts[-1].messages) == 2


async def test_the_language_of_the_query_is_taken_at_its_word() -> None:
    stage = instant()
    async with client_of(server_on(stage)) as client:
        assert (await say(client, params={"lang": "hi"})).headers["X-Tinig-Language"] == "hi"
        refused = await say(client, params={"lang": "xx"})
        assert refused.status == 400
        assert (await refused.json())["error"]["param"] == "lang"
    assert [job.request.language for job in stage.stt.jobs] == ["hi"]


@virtual_time
async def test_old_conversations_are_forgotten() -> None:
    stage = instant()
    rest = RestConfig(sessions=2, session_seconds=60.0)
    async with client_of(server_on(stage, rest)) as client:
        names = [(await say(client)).headers["X-Tinig-Session"] for _ in range(3)]
        again = [(await say(client, name)).headers["X-Tinig-Session"] for name in names[1:]]
        assert again == names[1:]  # there is room for two
        assert (await say(client, names[0])).headers["X-Tinig-Session"] != names[0]
        await asyncio.sleep(61.0)
        assert (await say(client, names[2])).headers["X-Tinig-Session"] != names[2]
    assert not stage.open_jobs


@virtual_time
async def test_a_conversation_is_not_forgotten_in_the_midst_of_a_turn() -> None:
    stage = instant()
    async with client_of(server_on(stage, RestConfig(session_seconds=60.0))) as client:
        name = (await say(client)).headers["X-Tinig-Session"]
        await asyncio.sleep(59.0)
        stage.stt_seconds = 2.0  # its time would be over meanwhile
        second = await say(client, name)
        assert (second.status, second.headers["X-Tinig-Session"]) == (200, name)
        await asyncio.sleep(59.0)  # counted from the end of this turn
        assert (await say(client, name)).headers["X-Tinig-Session"] == name
        await asyncio.sleep(61.0)
        assert (await say(client, name)).headers["X-Tinig-Session"] != name
    assert not stage.open_jobs


@virtual_time
async def test_one_turn_at_a_time() -> None:
    stage = instant()
    async with client_of(server_on(stage)) as client:
        name = (await say(client)).headers["X-Tinig-Session"]
        stage.stt_seconds = 0.5
        slow = asyncio.create_task(say(client, name))
        while len(stage.stt.jobs) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        second = await say(client, name)
        assert second.status == 409
        assert (await second.json())["error"]["code"] == "session_busy"
        assert (await slow).status == 200


async def test_a_turn_that_is_given_up_frees_all_it_held() -> None:
    stage = instant()
    stage.token_seconds = 30.0
    server = server_on(stage)
    async with client_of(server) as client:
        turn = asyncio.create_task(say(client))
        while not stage.prompts:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        turn.cancel()
        async with asyncio.timeout(10):
            while server.counters.requests or stage.open_jobs:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        ({"stt_error": EngineError("stt failed.")}, 500),
        ({"llm_error": Overloaded("llm is full.")}, 503),
        ({"tts_error": EngineError("tts failed.")}, 500),
        ({"heard": ""}, 400),
    ],
)
async def test_a_turn_that_fails_leaves_a_conversation_that_works(
    failure: dict[str, Any], status: int
) -> None:
    stage = instant(**failure)
    async with client_of(server_on(stage)) as client:
        response = await say(client)
        assert response.status == status
        assert "error" in await response.json()
        stage.stt_error = stage.llm_error = stage.tts_error = None
        stage.heard = "Hello."
        assert (await say(client)).status == 200
    assert not stage.open_jobs


async def test_more_than_one_turn_can_hold_is_refused() -> None:
    async with client_of(server_on(instant())) as client:
        body = io.BytesIO(wav(loud(31)))
        response = await client.post(URL, data=body, headers={"Content-Type": "audio/wav"})
        assert response.status == 413
        empty = await client.post(URL, data=b"", headers={"Content-Type": "audio/wav"})
        assert (await empty.json())["error"]["code"] == "invalid_audio"


async def test_a_long_answer_is_cut_in_its_header_between_two_characters() -> None:
    stage = instant(answer=("मेरा नाम मारिया है और मैं यहाँ हूँ। " * 40,), language="hi")
    stage.speech_seconds_per_character = 0.001
    async with client_of(server_on(stage)) as client:
        answer = (await say(client)).headers["X-Tinig-Answer"]
    assert 2000 < len(answer) <= 4000
    assert unquote(answer, errors="strict") in stage.answer[0]
