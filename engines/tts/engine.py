"""Text to speech: every language has a voice, and each of the voice's threads makes the next chunk
of some job.

Implements `engines.batcher.Engine`. A job's state is a generator of its audio, so that a cancelled
job costs nothing beyond the chunk in work. Chunks come faster than they are heard; a job whose
listener waits in silence for its first sound goes before all others, and then those whose listeners
would be the first to hear a gap, be it within a sentence or before one.

A graph takes one sentence at a time and is no faster on two cores, so that a thread has a job of
its own. A first sound takes longer (55 to 190 ms, as its sentence is to be read) than other chunks
(55 ms, Piper medium): a step ends as soon as one thread is done, and the others go on beside it.
"""

import math
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from engines.batcher import Job, Priority
from engines.config import TtsConfig, VoiceConfig
from engines.errors import EngineError
from engines.loaded import LoadedModel, megabytes_of, stopwatch
from engines.tts.espeak import VOICES as ESPEAK_VOICES
from engines.tts.espeak import EspeakVoice, library_path
from engines.tts.leading_silence import without_leading_silence
from engines.tts.piper import PiperFiles, PiperVoice, open_piper_model
from engines.tts.piper_model import PiperModel
from engines.tts.voice import Mark, Samples, Voice

MIN_SPEED, MAX_SPEED = 0.25, 4.0
_LOOK_SECONDS = 0.005  # after which a free thread is offered what has come meanwhile
ALWAYS_THERE = "espeak"  # the name of eSpeak NG's own voice of each language


@dataclass(frozen=True, slots=True)
class SpeechRequest:
    """Text to be spoken, of any length."""

    text: str
    language: str
    voice: str = ""  # a name; "", or a voice of another language: the language's default
    speed: float = 1.0  # 0.25 to 4 times the voice's own
    ahead_seconds: float = 0.0  # of audio that its listener has yet to hear before it
    trims_silence: bool = False  # begin with the first sound, without the silence before it


@dataclass(frozen=True, slots=True, eq=False)
class SpeechChunk:
    """The next piece of a job's audio."""

    samples: Samples  # int16[n], mono
    rate_hz: int
    marks: tuple[Mark, ...] = ()  # what became known of the text's words since the chunk before


_Made: TypeAlias = tuple[Samples | None, tuple[Mark, ...]]  # by one run of a voice; None: the end


@dataclass(slots=True)
class _Speech:
    """A job in work."""

    chunks: Iterator[Samples | Mark]
    rate_hz: int
    dry_at: float | None  # monotonic seconds: all that is out is heard then; None: nothing is out

    @property
    def urgency(self) -> float:
        """The lower, the sooner its listener hears silence."""
        return -math.inf if self.dry_at is None else self.dry_at

    def made(self, samples: Samples) -> None:
        """More of it is out, and is heard behind what came before."""
        now = time.monotonic()
        self.dry_at = max(now, self.dry_at or now) + len(samples) / self.rate_hz


class TtsEngine:
    """Implements `engines.batcher.Engine`: a job emits `SpeechChunk`s until its text is spoken."""

    max_batch = 1024  # a place costs nothing, and who waits for one is not seen to be urgent

    def __init__(self, config: TtsConfig) -> None:
        self._config = config
        self._voices: dict[tuple[str, str], Voice] = {}  # (language, name)
        self._models: dict[Path, PiperModel] = {}
        self._num_started = 0
        self._threads = config.threads or max(1, (len(os.sched_getaffinity(0)) - 2) // 2)
        self._pool = ThreadPoolExecutor(self._threads, "tts")
        self._in_work: dict[Future[_Made], Job[SpeechRequest, SpeechChunk]] = {}
        self.loaded: tuple[LoadedModel, ...] = ()

    def load(self) -> None:
        """Load and warm all voices. Raises `ModelError`."""
        self.loaded = ()
        for config in self._config.voices:
            name = config.name or f"{config.engine}-{config.language}"
            if config.engine == "piper":
                voice: Voice = self._load_piper(config)
            else:
                voice = EspeakVoice(config.language, config.model)
            self._voices.setdefault((config.language, ""), voice)
            self._voices.setdefault((config.language, name), voice)
        self._load_espeak()

    def start(self, job: Job[SpeechRequest, SpeechChunk]) -> bool:
        """Find the voice. Raises `EngineError` for an unknown one or an impossible speed."""
        request = job.request
        if not MIN_SPEED <= request.speed <= MAX_SPEED:
            raise EngineError(f"Speed is {request.speed}; it must be {MIN_SPEED} to {MAX_SPEED}.")
        voice = self._voice(request)
        chunks = voice.speak(request.text, request.speed)
        if request.trims_silence:
            chunks = without_leading_silence(chunks, voice.rate_hz)
        ahead_seconds = request.ahead_seconds
        dry_at = time.monotonic() + ahead_seconds if ahead_seconds > 0 else None
        job.state = _Speech(chunks, voice.rate_hz, dry_at)
        self._num_started += 1
        return True

    def step(self, jobs: Sequence[Job[SpeechRequest, SpeechChunk]]) -> None:
        """Give the free threads the most urgent jobs, and hand over the chunk that is ready first.

        Work that nobody waits for in real time would hold up calls, and is done without any.
        """
        self._begin_chunks(jobs)
        are_busy = len(self._in_work) == self._threads
        ready, _ = wait(self._in_work, None if are_busy else _LOOK_SECONDS, FIRST_COMPLETED)
        for chunk in ready:
            job = self._in_work.pop(chunk)
            if job.state is not None:  # it may have been stopped
                self._hand_over(job, chunk)

    def stop(self, job: Job[SpeechRequest, SpeechChunk]) -> None:
        """Drop what was not spoken."""
        job.state = None
        self._num_started -= 1

    def assert_idle(self) -> None:
        """Raise `AssertionError` if a started job was not stopped."""
        assert self._num_started == 0, f"{self._num_started} TTS jobs were started and not stopped"

    def _begin_chunks(self, jobs: Sequence[Job[SpeechRequest, SpeechChunk]]) -> None:
        of_calls = [job for job in jobs if job.priority is not Priority.OFFLINE]
        in_work = set(self._in_work.values())
        waiting = [job for job in of_calls or jobs if job not in in_work]
        waiting.sort(key=lambda job: job.state.urgency)
        for job in waiting[: self._threads - len(self._in_work)]:
            self._in_work[self._pool.submit(_next_chunk, job.state.chunks)] = job

    def _hand_over(self, job: Job[SpeechRequest, SpeechChunk], chunk: "Future[_Made]") -> None:
        """One chunk. What a voice raises is told to its reader alone."""
        speech: _Speech = job.state
        error = chunk.exception()
        if isinstance(error, Exception):
            job.fail(error)
            return
        samples, marks = chunk.result()
        if samples is None:
            if marks:
                job.emit(SpeechChunk(np.empty(0, np.int16), speech.rate_hz, marks))
            job.finish()
            return
        speech.made(samples)
        job.emit(SpeechChunk(samples, speech.rate_hz, marks))

    def _voice(self, request: SpeechRequest) -> Voice:
        voice = self._voices.get((request.language, request.voice))
        if voice is not None:
            return voice
        default = self._voices.get((request.language, ""))
        if default is not None and request.voice in {name for _, name in self._voices}:
            return default
        languages = sorted({language for language, _ in self._voices})
        if request.language not in languages:
            raise EngineError(
                f"No voice speaks {request.language!r}. Languages: {', '.join(languages)}."
            )
        names = [name for language, name in self._voices if language == request.language and name]
        raise EngineError(
            f"No voice of {request.language!r} is named {request.voice!r}. "
            f"Voices: {', '.join(names)}."
        )

    def _load_piper(self, config: VoiceConfig) -> Voice:
        files = PiperFiles.find(config.model, config.language)
        with stopwatch() as watch:
            first_use = files.model not in self._models
            if first_use:
                self._models[files.model] = open_piper_model(files.model, self._config.device)
            model = self._models[files.model]
            voice = PiperVoice(files, model, config.language, config.speaker)
            voice.warm()
        if first_use:
            size = megabytes_of(files.model)
            path = str(files.model)
            name = f"Piper {files.model.stem}"
            self.loaded += (LoadedModel("tts", name, path, model.device, size, watch.seconds),)
        return voice

    def _load_espeak(self) -> None:
        """eSpeak NG speaks each of its languages, by default where no other voice does."""
        with stopwatch() as watch:
            for language in ESPEAK_VOICES:
                voice = EspeakVoice(language)
                for _ in voice.speak("a", 1.0):
                    pass
                self._voices.setdefault((language, ""), voice)
                self._voices.setdefault((language, ALWAYS_THERE), voice)
        path = library_path()
        self.loaded += (
            LoadedModel(
                "tts", "eSpeak NG", str(path), "cpu", megabytes_of(path.parent), watch.seconds
            ),
        )


def _next_chunk(chunks: Iterator[Samples | Mark]) -> _Made:
    """The next audio and the marks before it; no audio at the end."""
    marks: list[Mark] = []
    for item in chunks:
        if not isinstance(item, Mark):
            return item, tuple(marks)
        marks.append(item)
    return None, tuple(marks)
