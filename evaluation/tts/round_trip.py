"""Text spoken by the configured voices and written down again by a recognizer.

A voice is given what a call would give it: numbers, money, times and signs in words. What is heard
is put into words in the same way, so that nobody is blamed for writing "500" or "five hundred".

The recognizer is told the language. Where no other is named it is the pipeline's own, which may
have learnt from the same voice: then the figure says less, and the report says so.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from engines.batcher import Batcher, Priority
from engines.config import SttConfig, TtsConfig
from engines.errors import EngineError
from engines.stt import SttEngine, SttRequest, Transcript
from engines.tts import ALWAYS_THERE, SpeechChunk, SpeechRequest, TtsEngine
from evaluation.data.audio import RATE_HZ, Samples
from evaluation.data.layout import Dataset
from evaluation.recording import Pcm
from evaluation.results import Record, Results, with_progress
from evaluation.tts.signal import inspect
from server.audio import samples_from_int16
from server.config import Config
from server.language.spoken import spoken
from server.resampling import resample

Tts = Batcher[SpeechRequest, SpeechChunk]
Stt = Batcher[SttRequest, Transcript]


@dataclass(frozen=True, slots=True)
class Job:
    """One text in one voice."""

    text: str  # as people write it
    language: str
    locale: str  # the language, or its region
    voice: str

    @property
    def key(self) -> str:
        """Unique in a run."""
        return f"{self.voice}/{self.language}/{self.text}"


@dataclass(frozen=True, slots=True)
class _Speech:
    samples: Pcm
    rate_hz: int
    first_seconds: float  # to the first audio
    seconds: float  # to the last


def plan(datasets: Sequence[Dataset], config: Config, per_language: int) -> list[Job]:
    """The first different texts of every language, in each voice that speaks it."""
    texts: dict[str, dict[str, None]] = {}
    for dataset in datasets:
        for clip in dataset.clips:
            own = texts.setdefault(clip.language, {})
            if clip.language and len(own) < per_language:
                own[clip.text] = None
    return [
        Job(text, language, config.conversation.locale(language), voice)
        for language, own in texts.items()
        for voice in _voices_of(language, config.tts)
        for text in own
    ]


def _voices_of(language: str, config: TtsConfig) -> Iterator[str]:
    for voice in config.voices:
        if voice.language == language:
            yield voice.name or f"{voice.engine}-{voice.language}"
    yield ALWAYS_THERE  # to compare with


async def measure(
    jobs: Sequence[Job], tts_config: TtsConfig, judge: SttConfig, results: Results
) -> list[str]:
    """Speak what `results` does not have yet; what went wrong.

    Raises `ModelError` when a model cannot be loaded, `EngineError` when its engine has died.
    """
    pending = results.pending(jobs, lambda job: job.key)
    if not pending:
        return []
    problems = []
    async with (
        Tts("tts", TtsEngine(tts_config)) as tts,
        Stt("judge", SttEngine(judge)) as stt,
    ):
        for job in with_progress(pending, "spoken and heard again"):
            try:
                results.append(job.key, await _measure(job, tts, stt))
            except EngineError as error:
                if tts.failure is not None or stt.failure is not None:
                    raise
                problems.append(f"{job.key}: {error}")
    return problems


async def _measure(job: Job, tts: Tts, stt: Stt) -> Record:
    said = spoken(job.text, job.locale).text
    speech = await _speak(SpeechRequest(said, job.language, job.voice), tts)
    heard = ""
    if len(speech.samples):
        request = SttRequest(_for_stt(speech), (job.language,), job.language)
        heard = spoken((await stt.run(request)).text, job.locale).text
    signal = inspect(speech.samples, speech.rate_hz)
    return {
        "language": job.language,
        "voice": job.voice,
        "text": job.text,
        "said": said,
        "heard": heard,
        "first_audio_seconds": round(speech.first_seconds, 4),
        "seconds": round(speech.seconds, 4),
        "audio_seconds": round(signal.seconds, 3),
        "level_db": None if np.isinf(signal.level_db) else round(signal.level_db, 1),
        "faults": signal.faults,
        "signal": {name: v for name, v in asdict(signal).items() if name != "level_db"},
    }


async def _speak(request: SpeechRequest, tts: Tts) -> _Speech:
    started_at = time.perf_counter()
    first_seconds = 0.0
    chunks: list[SpeechChunk] = []
    async with tts.submit(request, priority=Priority.ANSWER) as speech:
        async for chunk in speech:
            first_seconds = first_seconds or time.perf_counter() - started_at
            chunks.append(chunk)
    seconds = time.perf_counter() - started_at
    samples = np.concatenate([np.zeros(0, np.int16), *(chunk.samples for chunk in chunks)])
    return _Speech(samples, chunks[0].rate_hz if chunks else RATE_HZ, first_seconds, seconds)


def _for_stt(speech: _Speech) -> Samples:
    return resample(samples_from_int16(speech.samples), speech.rate_hz, RATE_HZ)
