"""A transcript in each of the forms in which a client may ask for it."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from engines.config import describe
from engines.stt import SpokenWord
from server.rest.recognition import Segment


@dataclass(frozen=True, slots=True)
class DurationUsage:
    """How much was transcribed."""

    type: Literal["duration"]
    seconds: float


@dataclass(frozen=True, slots=True)
class Transcription:
    """What was said."""

    text: str
    usage: DurationUsage


@dataclass(frozen=True, slots=True)
class TranscriptionWord:
    """A word and when it was said, in seconds."""

    word: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class TranscriptionSegment:
    """A sentence or a part of one, and when it was said, in seconds."""

    id: int
    seek: int
    start: float
    end: float
    text: str
    tokens: tuple[int, ...] = field(metadata=describe("Always empty: tokens are not given out."))
    temperature: float
    avg_logprob: float
    compression_ratio: float
    no_speech_prob: float


@dataclass(frozen=True, slots=True)
class VerboseTranscription:
    """What was said, in which language, and when."""

    task: Literal["transcribe", "translate"]
    language: str = field(metadata=describe("Its English name, in lower case."))
    duration: float = field(metadata=describe("Of the audio, in seconds."))
    text: str
    usage: DurationUsage
    segments: tuple[TranscriptionSegment, ...] | None = None
    words: tuple[TranscriptionWord, ...] | None = None


def wire_words(words: Sequence[SpokenWord]) -> tuple[TranscriptionWord, ...]:
    """Words as OpenAI names their parts."""
    return tuple(
        TranscriptionWord(word.text, round(word.start_seconds, 3), round(word.end_seconds, 3))
        for word in words
    )


def wire_segments(segments: Sequence[Segment]) -> tuple[TranscriptionSegment, ...]:
    """Segments as OpenAI names their parts."""
    return tuple(
        TranscriptionSegment(
            id=number,
            seek=round(100 * segment.start_seconds),
            start=round(segment.start_seconds, 3),
            end=round(segment.end_seconds, 3),
            text=segment.text,
            tokens=(),
            temperature=0.0,
            avg_logprob=round(segment.mean_log_probability, 4),
            compression_ratio=round(_compression_ratio(segment.text), 3),
            no_speech_prob=round(segment.no_speech_probability, 4),
        )
        for number, segment in enumerate(segments)
    )


def srt(segments: Sequence[Segment]) -> str:
    """SubRip subtitles."""
    return "".join(
        f"{number}\n{_times(segment, ',')}\n{segment.text}\n\n"
        for number, segment in enumerate(segments, start=1)
    )


def vtt(segments: Sequence[Segment]) -> str:
    """WebVTT subtitles."""
    cues = (f"{_times(segment, '.')}\n{_escaped(segment.text)}\n\n" for segment in segments)
    return "WEBVTT\n\n" + "".join(cues)


def _times(segment: Segment, mark: str) -> str:
    return f"{_clock(segment.start_seconds, mark)} --> {_clock(segment.end_seconds, mark)}"


def _clock(seconds: float, mark: str) -> str:
    milliseconds = round(1000 * seconds)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    seconds, milliseconds = divmod(milliseconds, 1000)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{mark}{milliseconds:03d}"


def _escaped(text: str) -> str:
    """WebVTT reads markup in its cues."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _compression_ratio(text: str) -> float:
    data = text.encode()
    return len(data) / len(zlib.compress(data))
