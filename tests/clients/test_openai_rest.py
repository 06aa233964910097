"""The stock `openai` client's ordinary calls, against the real server with the starter models."""

import io
import wave
from collections.abc import AsyncIterator
from urllib.parse import unquote

import aiohttp
import numpy as np
import openai
import pytest
from openai import AsyncOpenAI

from evaluation.recording import Pcm
from evaluation.server_process import RunningServer
from evaluation.speech import synthesize

RATE_HZ = 16_000
PAUSE = np.zeros(2 * RATE_HZ, np.int16)


@pytest.fixture
async def client(running_server: RunningServer) -> AsyncIterator[AsyncOpenAI]:
    base_url = f"{running_server.http_url}/v1"
    async with AsyncOpenAI(api_key="not asked for", base_url=base_url, max_retries=0) as client:
        yield client


def wav(*parts: Pcm) -> bytes:
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(np.concatenate(parts).tobytes())
    return data.getvalue()


def spoken(text: str, language: str) -> Pcm:
    return synthesize(text, language, RATE_HZ)


TWO_LANGUAGES = ("What is the capital of France?", "मेरा नाम मारिया है।")


def plain(text: str) -> str:
    """Without the marks, of which the starter recognizer is not sure."""
    return text.translate(str.maketrans("", "", "?.।"))


def conversation() -> tuple[str, bytes]:
    """A file with a question in English and an answer in Hindi."""
    english, hindi = TWO_LANGUAGES
    return "talk.wav", wav(spoken(english, "en"), PAUSE, spoken(hindi, "hi"))


async def test_transcriptions_in_every_form(client: AsyncOpenAI) -> None:
    transcriptions = client.audio.transcriptions
    file = conversation()
    both = plain(" ".join(TWO_LANGUAGES))
    whole = await transcriptions.create(model="whisper-1", file=file)
    assert plain(whole.text) == both
    text = await transcriptions.create(model="whisper-1", file=file, response_format="text")
    assert text == f"{whole.text}\n"
    srt = await transcriptions.create(model="whisper-1", file=file, response_format="srt")
    assert srt.startswith("1\n00:00:00,")
    assert plain(TWO_LANGUAGES[1]) in srt
    verbose = await transcriptions.create(
        model="whisper-1",
        file=file,
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
    )
    segments = [plain(segment.text) for segment in verbose.segments or ()]
    assert segments == [plain(text) for text in TWO_LANGUAGES]
    assert [plain(word.word) for word in verbose.words or ()] == both.split()
    assert (verbose.segments or [])[1].start > 3.0


async def test_a_transcription_is_streamed(client: AsyncOpenAI) -> None:
    stream = await client.audio.transcriptions.create(
        model="gpt-4o-transcribe", file=conversation(), stream=True
    )
    events = [event async for event in stream]
    deltas = [event.delta for event in events if event.type == "transcript.text.delta"]
    assert len(deltas) == 2
    assert events[-1].type == "transcript.text.done"
    assert "".join(deltas) == events[-1].text
    assert plain(events[-1].text) == plain(" ".join(TWO_LANGUAGES))


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # the client's own, of this
async def test_translations(client: AsyncOpenAI) -> None:
    """The starter recognizer does not translate: English stays, the rest is the models' affair."""
    text, file = TWO_LANGUAGES[0], ("a.wav", wav(spoken(TWO_LANGUAGES[0], "en")))
    translation = await client.audio.translations.create(model="whisper-1", file=file)
    assert plain(translation.text) == plain(text)
    french = ("b.wav", wav(spoken("Quelle est la capitale de la France ?", "fr")))
    translation = await client.audio.translations.create(model="whisper-1", file=french)
    assert "France" in translation.text


async def test_speech_is_streamed_and_understood_again(client: AsyncOpenAI) -> None:
    async with client.audio.speech.with_streaming_response.create(
        model="tts-1",
        voice="alloy",
        input="Hello, my name is Maria.",
        response_format="opus",
    ) as response:
        parts = [part async for part in response.iter_bytes()]
    assert len(parts) > 1
    heard = await client.audio.transcriptions.create(
        model="whisper-1", file=("hello.ogg", b"".join(parts)), language="en"
    )
    assert heard.text == "Hello, my name is Maria."


async def test_chats_whole_and_streamed(client: AsyncOpenAI) -> None:
    completions = client.chat.completions
    whole = await completions.create(
        model="tinig", messages=[{"role": "user", "content": "What is the capital of France?"}]
    )
    assert "Paris" in (whole.choices[0].message.content or "")
    assert whole.usage is not None
    assert whole.usage.completion_tokens > 3
    stream = await completions.create(
        model="tinig",
        messages=[{"role": "user", "content": "What is the capital of France?"}],
        stream=True,
    )
    chunks = [chunk async for chunk in stream]
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert said == whole.choices[0].message.content
    assert chunks[-1].choices[0].finish_reason == "stop"


async def test_models_and_errors(client: AsyncOpenAI) -> None:
    models = [model.id async for model in client.models.list()]
    assert "tinig" in models
    assert (await client.models.retrieve(models[-1])).id == models[-1]
    with pytest.raises(openai.NotFoundError):
        await client.models.retrieve("gpt-9")
    with pytest.raises(openai.BadRequestError, match="cannot be decoded"):
        await client.audio.transcriptions.create(model="whisper-1", file=("a.mp3", b"no audio"))


async def test_two_spoken_turns_by_request(running_server: RunningServer) -> None:
    url = f"{running_server.http_url}/api/v1/voice/process"
    turns = (("en", "My name is Maria."), ("hi", "मेरा नाम क्या है?"))
    answers = []
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        for language, text in turns:
            body, params = io.BytesIO(wav(spoken(text, language))), {"lang": language}
            async with http.post(url, data=body, params=params) as response:
                assert response.status == 200
                with wave.open(io.BytesIO(await response.read())) as file:
                    assert file.getnframes() > 12_000
                answers.append(unquote(response.headers["X-Tinig-Answer"]))
    assert "Maria" in answers[0]
    assert "मारिया" in answers[1]
