"""`/v1/audio/transcriptions` and `/v1/audio/translations`."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Literal

from aiohttp import web

from engines.config import option
from engines.errors import ProtocolError
from engines.host import Engines
from server.config import Config
from server.language.languages import language_name
from server.rest import bodies, errors, schema
from server.rest.operation import Operation
from server.rest.recognition import Piece, Recognition, Segment, segments_of
from server.rest.streams import send_events
from server.rest.transcripts import (
    DurationUsage,
    Transcription,
    VerboseTranscription,
    srt,
    vtt,
    wire_segments,
    wire_words,
)
from server.rest.translation import in_english

_NO_EFFECT = "Accepted, without effect."
_ANY_MODEL = "Any name: the server has one recognizer."


@dataclass(frozen=True, slots=True)
class TranscriptionRequest:
    """How an audio file is to be transcribed."""

    model: str = option("whisper-1", _ANY_MODEL)
    language: str = option("", "Its language, as ISO 639-1; none: it is found out.")
    prompt: str = option("", _NO_EFFECT)
    temperature: float = option(0.0, _NO_EFFECT, minimum=0.0, maximum=1.0)
    response_format: Literal["json", "verbose_json", "text", "srt", "vtt"] = option(
        "json", "What is answered."
    )
    timestamp_granularities: tuple[Literal["word", "segment"], ...] = option(
        ("segment",), "What verbose_json gives times of.", maximum=2
    )
    stream: bool = option(False, "Answer with server-sent events, a stretch of speech each.")
    include: tuple[str, ...] = option((), _NO_EFFECT)
    chunking_strategy: str | Mapping[str, Any] = option("auto", _NO_EFFECT)


@dataclass(frozen=True, slots=True)
class TranslationRequest:
    """How an audio file is to be put into English."""

    model: str = option("whisper-1", _ANY_MODEL)
    prompt: str = option("", _NO_EFFECT)
    temperature: float = option(0.0, _NO_EFFECT, minimum=0.0, maximum=1.0)
    response_format: Literal["json", "verbose_json", "text", "srt", "vtt"] = option(
        "json", "What is answered."
    )


class Transcriptions:
    """The handlers."""

    def __init__(self, config: Config, engines: Engines) -> None:
        self._config = config
        self._engines = engines

    def operations(self) -> list[Operation]:
        """What can be asked."""
        answers = {
            "application/json": Transcription | VerboseTranscription,
            "text/plain": None,
            "text/vtt": None,
            "text/event-stream": None,
        }
        return [
            Operation(
                "POST",
                "/v1/audio/transcriptions",
                self.transcribe,
                "What is said in an audio file.",
                answers,
                body=TranscriptionRequest,
                is_form=True,
            ),
            Operation(
                "POST",
                "/v1/audio/translations",
                self.translate,
                "What is said in an audio file, in English.",
                {name: answer for name, answer in answers.items() if "stream" not in name},
                body=TranslationRequest,
                is_form=True,
            ),
        ]

    async def transcribe(self, request: web.Request) -> web.StreamResponse:
        """What is said, in the language that it is said in."""
        wanted, data = await bodies.read_form(request, TranscriptionRequest, self._config.rest)
        languages = self._config.conversation.languages
        if wanted.language not in ("", *languages):
            raise errors.unknown("language", wanted.language, languages)
        recognition = self._recognition(wanted.response_format, wanted.language or None)
        if not wanted.stream:
            granularities = wanted.timestamp_granularities
            return await self._whole(recognition, data, wanted.response_format, granularities)
        if wanted.response_format not in {"json", "text"}:
            raise ProtocolError(
                "stream=true gives text: leave response_format out.",
                code="invalid_value",
                param="response_format",
            )
        pieces = recognition.pieces(data, self._config.rest.max_audio_seconds)
        return await send_events(request, self._config.rest, _events(recognition, pieces))

    async def translate(self, request: web.Request) -> web.StreamResponse:
        """What is said, in English."""
        wanted, data = await bodies.read_form(request, TranslationRequest, self._config.rest)
        recognition = self._recognition(wanted.response_format, None, into_english=True)
        return await self._whole(recognition, data, wanted.response_format, ("segment",))

    def _recognition(
        self, response_format: str, language: str | None, *, into_english: bool = False
    ) -> Recognition:
        return Recognition(
            self._engines,
            self._config.conversation.languages,
            language,
            into_english,
            word_times=response_format in {"verbose_json", "srt", "vtt"},
        )

    async def _whole(
        self,
        recognition: Recognition,
        data: bytes,
        response_format: str,
        granularities: tuple[str, ...],
    ) -> web.Response:
        limit_seconds = self._config.rest.max_audio_seconds
        heard = recognition.pieces(data, limit_seconds)
        if recognition.into_english:
            heard = in_english(self._engines, heard)
        async with aclosing(heard):
            pieces = [piece async for piece in heard]
        segments = [segment for piece in pieces for segment in segments_of(piece)]
        match response_format:
            case "text":
                return web.Response(text=_text(pieces) + "\n")
            case "srt":
                return web.Response(text=srt(segments))
            case "vtt":
                return web.Response(text=vtt(segments), content_type="text/vtt")
            case "verbose_json":
                answer: object = _verbose(recognition, pieces, segments, granularities)
            case _:
                answer = Transcription(_text(pieces), _usage(recognition))
        return web.json_response(schema.to_json(answer))


def _text(pieces: list[Piece]) -> str:
    return " ".join(piece.transcript.text for piece in pieces)


def _usage(recognition: Recognition) -> DurationUsage:
    return DurationUsage("duration", round(recognition.duration_seconds, 3))


def _verbose(
    recognition: Recognition,
    pieces: list[Piece],
    segments: list[Segment],
    granularities: tuple[str, ...],
) -> VerboseTranscription:
    words = [word for piece in pieces for word in piece.words]
    return VerboseTranscription(
        task="translate" if recognition.into_english else "transcribe",
        language=language_name(_language(recognition, pieces)).lower(),
        duration=round(recognition.duration_seconds, 3),
        text=_text(pieces),
        usage=_usage(recognition),
        segments=wire_segments(segments) if "segment" in granularities else None,
        words=wire_words(words) if "word" in granularities else None,
    )


def _language(recognition: Recognition, pieces: list[Piece]) -> str:
    """The one that was asked for, or that most of the speech is in."""
    if recognition.language is not None or not pieces:
        return recognition.language or recognition.languages[0]
    seconds: dict[str, float] = {}
    for piece in pieces:
        language = piece.transcript.language
        seconds[language] = seconds.get(language, 0.0) + piece.transcript.audio_seconds
    return max(seconds, key=lambda code: seconds[code])


async def _events(
    recognition: Recognition, pieces: AsyncGenerator[Piece, None]
) -> AsyncGenerator[dict[str, Any], None]:
    text = ""
    async for piece in pieces:
        delta = f" {piece.transcript.text}" if text else piece.transcript.text
        text += delta
        yield {"type": "transcript.text.delta", "delta": delta}
    usage = schema.to_json(_usage(recognition))
    yield {"type": "transcript.text.done", "text": text, "usage": usage}
