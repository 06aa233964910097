"""`/v1/audio/speech`."""

import asyncio
import base64
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web

from engines.config import describe, option
from engines.errors import ProtocolError
from engines.host import Engines
from engines.tts import SpeechRequest
from engines.tts.engine import MAX_SPEED, MIN_SPEED
from server.config import Config
from server.language.identification import identify, matrix_of
from server.language.sentences import SentenceStream
from server.language.spoken import spoken
from server.rest import bodies, errors
from server.rest.encoding import RATE_HZ, FileEncoder, content_type
from server.rest.operation import Operation
from server.rest.streams import send_events, send_parts
from server.rest.synthesis import synthesize
from server.voices import DEFAULT_VOICE, OPENAI_VOICES, voices_of

_MAXIMUM_CHARACTERS = 4096


@dataclass(frozen=True, slots=True)
class VoiceReference:
    """A voice by its id."""

    id: str


@dataclass(frozen=True, slots=True)
class CreateSpeechRequest:
    """A text to be spoken."""

    input: str = field(
        metadata=describe("What is to be said.", minimum=1, maximum=_MAXIMUM_CHARACTERS)
    )
    model: str = option("tts-1", "Any name: the voice decides what speaks.")
    voice: str | VoiceReference = option(
        DEFAULT_VOICE,
        "A voice of this server (GET /v1/tinig lists them), or one of OpenAI's names for the "
        "default voice of the text's language.",
    )
    language: str | None = option(
        None, "An extension: the text's language; none: the voice's, or found out from the text."
    )
    instructions: str = option("", "Accepted, without effect.")
    response_format: Literal["mp3", "opus", "aac", "flac", "wav", "pcm"] = option(
        "mp3", "The file; pcm is 16-bit little-endian, mono, 24 kHz, without a header."
    )
    speed: float = option(1.0, "Times the voice's own.", minimum=MIN_SPEED, maximum=MAX_SPEED)
    stream_format: Literal["audio", "sse"] = option(
        "audio", "The file itself, or server-sent events with parts of it in base64."
    )


class Speech:
    """The handlers."""

    def __init__(self, config: Config, engines: Engines) -> None:
        self._config = config
        self._engines = engines

    def operations(self) -> list[Operation]:
        """What can be asked."""
        files = ("audio/mpeg", "audio/ogg", "audio/aac", "audio/flac", "audio/wav", "audio/pcm")
        return [
            Operation(
                "POST",
                "/v1/audio/speech",
                self.speak,
                "A text, spoken: an audio file that is sent while it is made.",
                dict.fromkeys((*files, "text/event-stream")),
                body=CreateSpeechRequest,
            )
        ]

    async def speak(self, request: web.Request) -> web.StreamResponse:
        """The text as an audio file, part by part."""
        wanted = await bodies.read_json(request, CreateSpeechRequest, self._config.rest)
        language, voice = self._voice(wanted)
        parts = self._file(wanted, language, voice)
        if wanted.stream_format == "sse":
            return await send_events(request, self._config.rest, _events(parts))
        kind = content_type(wanted.response_format)
        return await send_parts(request, self._config.rest, kind, parts)

    def _voice(self, wanted: CreateSpeechRequest) -> tuple[str, str]:
        """The language that is spoken, and the name of the voice, "" for its default."""
        languages = self._config.conversation.languages
        if wanted.language not in (None, *languages):
            raise errors.unknown("language", wanted.language, languages)
        name = wanted.voice if isinstance(wanted.voice, str) else wanted.voice.id
        speakers = [code for code in languages if name in voices_of(self._config.tts, code)]
        if name in (DEFAULT_VOICE, *OPENAI_VOICES) and not speakers:
            return wanted.language or self._language_of(wanted.input, languages), ""
        if not speakers or wanted.language not in (None, *speakers):
            known = [wanted.language] if wanted.language else languages
            names = [each for code in known for each in voices_of(self._config.tts, code)]
            raise errors.unknown("voice", name, dict.fromkeys(names))
        return wanted.language or self._language_of(wanted.input, tuple(speakers)), name

    def _language_of(self, text: str, languages: tuple[str, ...]) -> str:
        matrix = matrix_of(text, languages)
        if matrix is not None:
            return matrix.language
        probabilities = identify(text, languages)
        usual = self._config.conversation.default_language
        return max(languages, key=lambda code: (probabilities[code], code == usual))

    async def _file(
        self, wanted: CreateSpeechRequest, language: str, voice: str
    ) -> AsyncGenerator[bytes, None]:
        """The parts of the file, none of them empty. Raises `TinigError`."""
        encoder = await asyncio.to_thread(FileEncoder, wanted.response_format)
        has_words = False
        async for words in self._sentences(wanted.input, language):
            has_words = True
            request = SpeechRequest(words, language, voice, wanted.speed)
            async with aclosing(synthesize(self._engines, request, RATE_HZ)) as speech:
                async for samples in speech:
                    if part := await asyncio.to_thread(encoder.push, samples):
                        yield part
        if not has_words:
            raise ProtocolError(
                "There is nothing to say in 'input': it has no letter and no digit.",
                code="invalid_value",
                param="input",
            )
        yield await asyncio.to_thread(encoder.close)

    async def _sentences(self, text: str, language: str) -> AsyncGenerator[str, None]:
        """What is said, a sentence at a time: the next is made when the last has been sent."""
        locale = self._config.conversation.locale(language)
        sentences = SentenceStream(language)
        for sentence in [*sentences.push(text), *sentences.flush()]:
            if words := (await asyncio.to_thread(spoken, sentence, locale)).text:
                yield words


async def _events(parts: AsyncGenerator[bytes, None]) -> AsyncGenerator[dict[str, Any], None]:
    async with aclosing(parts):
        async for part in parts:
            yield {"type": "speech.audio.delta", "audio": base64.b64encode(part).decode()}
    yield {"type": "speech.audio.done"}
