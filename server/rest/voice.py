"""`/api/v1/voice/process`: one audio file in, the spoken answer out."""

import asyncio
import hashlib
import io
import wave
from dataclasses import dataclass
from urllib.parse import quote

import numpy as np
from aiohttp import hdrs, web

from engines.config import option
from engines.host import Engines
from server.admission import key_of
from server.audio import Pcm, Samples, encode_pcm16
from server.calls import Calls
from server.rest import bodies, errors, schema
from server.rest.decoding import decode
from server.rest.operation import Operation
from server.rest.talk import ANSWER_RATE_HZ, SpokenTurn, Talk, Talks

SESSION_HEADER = "X-Tinig-Session"
_COOKIE = "tinig_session"
_PATH = "/api/v1/voice/process"
_LONGEST_HEADER_BYTES = 4000  # of 8 kB that clients and proxies take
_ENCODED = "percent-encoded UTF-8; the end is missing of what is longer than 4 kB so"


@dataclass(frozen=True, slots=True)
class VoiceQuery:
    """How the audio is to be heard."""

    lang: str = option("", "Language of the speech, as ISO 639-1; none: it is found out.")


class Voice:
    """The handlers."""

    def __init__(self, calls: Calls, engines: Engines) -> None:
        self._config = calls.config
        self._talks = Talks(calls, engines)

    def operations(self) -> list[Operation]:
        """What can be asked."""
        return [
            Operation(
                "POST",
                _PATH,
                self.process,
                "One turn of a spoken conversation: an audio file in, the answer as WAV out. A "
                "cookie, or the header X-Tinig-Session, goes on with the conversation.",
                {"audio/wav": None},
                body=bodies.NoFields,
                is_form=True,
                query=VoiceQuery,
                answer_headers={
                    "X-Tinig-Transcript": f"What was said: {_ENCODED}.",
                    "X-Tinig-Answer": f"What is answered: {_ENCODED}.",
                    "X-Tinig-Language": "Language of the answer.",
                    SESSION_HEADER: "The conversation's name, to go on with it.",
                },
            )
        ]

    async def close(self) -> None:
        """End all conversations."""
        await self._talks.close()

    async def process(self, request: web.Request) -> web.StreamResponse:
        """One turn."""
        query = schema.read(VoiceQuery, dict(request.query))
        languages = self._config.conversation.languages
        if query.lang not in {"", *languages}:
            raise errors.unknown("lang", query.lang, languages)
        data = await bodies.read_audio(request, self._config.rest)
        limit_seconds = self._config.conversation.maximum_utterance_seconds
        samples = np.concatenate([block async for block in decode(data, limit_seconds)])
        key = hashlib.sha256(key_of(request).encode(errors="surrogateescape")).hexdigest()
        name = request.headers.get(SESSION_HEADER) or request.cookies.get(_COOKIE, "")
        talk = self._talks.find(key, name, request.remote)
        turn = await self._turn(key, talk, samples, query.lang or None)
        file = await asyncio.to_thread(_wav, turn.pcm)
        return self._response(talk, turn, file)

    async def _turn(
        self, key: str, talk: Talk, samples: Samples, language: str | None
    ) -> SpokenTurn:
        try:
            return await talk.turn(samples, language)
        finally:
            if talk.is_busy:  # it was given up half way
                self._talks.forget(key, talk)
            else:
                self._talks.keep(key, talk)

    def _response(self, talk: Talk, turn: SpokenTurn, file: bytes) -> web.Response:
        headers = {
            hdrs.CONTENT_TYPE: "audio/wav",
            "X-Tinig-Transcript": _encoded(turn.transcript),
            "X-Tinig-Answer": _encoded(turn.answer),
            "X-Tinig-Language": turn.language,
            SESSION_HEADER: talk.id,
        }
        response = web.Response(body=file, headers=headers)
        response.set_cookie(
            _COOKIE,
            talk.id,
            path=_PATH,
            max_age=int(self._config.rest.session_seconds),
            httponly=True,
            samesite="Strict",
        )
        return response


def _encoded(text: str) -> str:
    """Percent-encoded UTF-8, cut between two characters."""
    encoded = quote(text.strip(), safe="")
    while len(encoded) > _LONGEST_HEADER_BYTES:
        text = text[: len(text) * _LONGEST_HEADER_BYTES // len(encoded)]
        encoded = quote(text.strip(), safe="")
    return encoded


def _wav(pcm: Pcm) -> bytes:
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(ANSWER_RATE_HZ)
        file.writeframes(encode_pcm16(pcm))
    return data.getvalue()
