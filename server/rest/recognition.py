"""An audio file as what was said in it, window by window."""

import math
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from engines.host import Engines
from engines.stt import SpokenWord, SttRequest, Transcript
from server.audio import Samples
from server.rest.decoding import RATE_HZ, decode
from server.rest.windows import speech_windows

ENGLISH = "en"

_LONGEST_SEGMENT_SECONDS = 7.0  # what can be read as one subtitle
_SEGMENT_PAUSE_SECONDS = 0.6
_SENTENCE_ENDS = (".", "?", "!", "…", "।", "॥")


@dataclass(frozen=True, slots=True)
class Piece:
    """What was said in one window."""

    transcript: Transcript
    words: tuple[SpokenWord, ...]  # in the time of the whole file
    start_seconds: float
    end_seconds: float


@dataclass(frozen=True, slots=True)
class Segment:
    """A sentence or a part of one."""

    text: str
    start_seconds: float
    end_seconds: float
    mean_log_probability: float
    no_speech_probability: float


@dataclass(slots=True)
class Recognition:
    """One file's transcription. `duration_seconds` is what was read of it so far."""

    engines: Engines
    languages: tuple[str, ...]
    language: str | None = None  # None: found out in every window
    into_english: bool = False
    word_times: bool = False
    duration_seconds: float = 0.0

    async def pieces(self, data: bytes, max_seconds: float) -> AsyncGenerator[Piece, None]:
        """What was said, in order. Raises `ProtocolError` and `EngineError`."""
        async with aclosing(self._counted(data, max_seconds)) as blocks:
            async for window in speech_windows(self.engines, blocks):
                transcript = await self.engines.stt.run(self._request(window.samples))
                if transcript.text:
                    start = window.start_seconds
                    words = tuple(word.later(start) for word in transcript.words)
                    yield Piece(transcript, words, start, start + transcript.audio_seconds)

    def _request(self, samples: Samples) -> SttRequest:
        return SttRequest(
            samples,
            self.languages,
            self.language,
            word_times=self.word_times,
            is_translated=_is_foreign if self.into_english else None,
        )

    async def _counted(self, data: bytes, max_seconds: float) -> AsyncGenerator[Samples, None]:
        async for block in decode(data, max_seconds):
            self.duration_seconds += len(block) / RATE_HZ
            yield block


def _is_foreign(text: str, language: str) -> bool:
    return language != ENGLISH


def segments_of(piece: Piece) -> list[Segment]:
    """Cut after sentences, in pauses, and where a subtitle would be too long."""
    if not piece.words:
        return [_segment(piece, piece.transcript.text, piece.start_seconds, piece.end_seconds)]
    groups: list[list[SpokenWord]] = [[]]
    for word in piece.words:
        if groups[-1] and _begins_anew(groups[-1], word):
            groups.append([])
        groups[-1].append(word)
    return [_segment_of_words(piece, group) for group in groups]


def _begins_anew(said: Sequence[SpokenWord], word: SpokenWord) -> bool:
    last = said[-1]
    return (
        last.text.endswith(_SENTENCE_ENDS)
        or word.start_seconds - last.end_seconds >= _SEGMENT_PAUSE_SECONDS
        or word.end_seconds - said[0].start_seconds > _LONGEST_SEGMENT_SECONDS
    )


def _segment_of_words(piece: Piece, words: Sequence[SpokenWord]) -> Segment:
    text = " ".join(word.text for word in words)
    return _segment(piece, text, words[0].start_seconds, words[-1].end_seconds)


def _segment(piece: Piece, text: str, start_seconds: float, end_seconds: float) -> Segment:
    transcript = piece.transcript
    return Segment(
        text,
        start_seconds,
        end_seconds,
        math.log(max(transcript.mean_token_probability, 1e-9)),
        transcript.no_speech_probability,
    )
