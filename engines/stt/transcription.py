"""One transcription from request to transcript: its windows, its attempts, their sum."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np
import numpy.typing as npt

from engines.batcher import Priority
from engines.config import SttConfig
from engines.stt import guards
from engines.stt.whisper import MAX_FRAMES, Decoding, Task, geometric_mean
from engines.stt.windows import MAX_WINDOW_SECONDS, RATE_HZ, window_end
from engines.stt.words import SpokenWord

MIN_SAMPLES = RATE_HZ // 10  # less than 0.1 s holds no word

_FALLBACK_TEMPERATURE = 0.4
_MIN_HALVED_SECONDS = 7.0
_SIMILAR_FRAMES = 200
_FRAME_SAMPLES = RATE_HZ // 100

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class SttRequest:
    """Audio to be written down, and translated where `is_translated` says so: a pure function, that
    is called on the engine's thread."""

    samples: Samples  # float32[n], mono, 16 kHz, within -1..1, of any length
    languages: tuple[str, ...]  # the deployed ones, over which probabilities are renormalised
    language: str | None = None  # decode in this one; None: the likeliest of `languages`
    task: Task = "transcribe"  # "translate": into English
    word_times: bool = False  # tell when each word was said
    is_translated: Callable[[str, str], bool] | None = None  # asked with a text and its language


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was heard."""

    text: str
    language: str  # in which it was decoded
    language_probabilities: Mapping[str, float]  # over the request's languages, sum 1
    mean_token_probability: float  # geometric mean; 0 where nothing was decoded
    no_speech_probability: float
    rejected_by: str | None  # the guard that emptied the text
    audio_seconds: float
    words: tuple[SpokenWord, ...] = ()  # where the request asked for them
    translation: str | None = None  # into English, where it was asked for and the model can

    @property
    def is_garbled(self) -> bool:
        """Whether somebody spoke, and the decoder found no end: there are no words of it."""
        return self.rejected_by in guards.ENDLESS


@dataclass(slots=True)
class Work:
    """How far a job has come. The job owns it."""

    request: SttRequest
    priority: Priority
    ready_step: int  # of the engine: since then it waits for its next window
    max_window_samples: int = int(MAX_WINDOW_SECONDS * RATE_HZ)
    start: int = 0  # of the window, in samples
    full_window: bool = False  # this window again, padded to 30 s
    temperature: float = 0.0  # this window again, sampled
    _texts: list[str] = field(default_factory=list)
    _words: list[SpokenWord] = field(default_factory=list)
    _translations: list[str] = field(default_factory=list)
    _rejected_by: str | None = None
    _tokens: int = 0
    _log_probability: float = 0.0
    _no_speech_probability: float = 1.0
    _language_seconds: dict[str, float] = field(default_factory=dict)

    @property
    def is_done(self) -> bool:
        """What is left, if anything, is too short for a word."""
        return len(self.request.samples) - self.start < MIN_SAMPLES

    def window_samples(self) -> Samples:
        """The audio of the window that is due."""
        end = window_end(self.request.samples, self.start, self.max_window_samples)
        return self.request.samples[self.start : end]

    def weigh(self, window: "Window", probabilities: Mapping[str, float]) -> None:
        """Set the window's language, from its own probabilities and those of the windows before.

        Every window weighs by its length, so that a silent beginning does not decide for the rest.
        """
        shares = renormalised(probabilities, self.request.languages)
        window.language_seconds = {
            language: self._language_seconds.get(language, 0.0) + share * window.seconds
            for language, share in shares.items()
        }
        window.language = self.request.language or _likeliest(window.language_seconds)

    def keep(self, window: "Window", decoding: Decoding, rejected_by: str | None) -> None:
        """Add the window to the transcript and go on to the next one."""
        if rejected_by:
            self._rejected_by = rejected_by
        elif decoding.text:
            self._texts.append(decoding.text)
        self._log_probability += decoding.log_probability
        self._tokens += decoding.scored_tokens
        self._no_speech_probability = min(
            self._no_speech_probability, decoding.no_speech_probability
        )
        self._language_seconds = window.language_seconds
        self.start += len(window.samples)
        self.full_window, self.temperature = False, 0.0

    def time(self, words: Iterable[SpokenWord]) -> None:
        """Add the words of the window that is to be kept next."""
        self._words += [word.later(self.start / RATE_HZ) for word in words]

    def keep_translation(self, decoding: Decoding) -> None:
        """Add what the window that was kept last says in English."""
        self._translations.append(decoding.text)

    def try_again(self, window: "Window", guard: str, *, padding_may_help: bool) -> bool:
        """Change what the next attempt at this window does. False: nothing is left to try."""
        if self.priority == Priority.PARTIAL:  # the next partial is another attempt
            return False
        if padding_may_help and window.frames < MAX_FRAMES:
            self.full_window = True
        elif guard not in guards.ENDLESS:
            return False
        elif window.seconds >= 2 * _MIN_HALVED_SECONDS:
            self.max_window_samples = len(window.samples) // 2
        elif self.temperature == 0.0:
            self.temperature = _FALLBACK_TEMPERATURE
        else:
            return False
        return True

    def transcript(self) -> Transcript:
        """What all windows say together."""
        request, text = self.request, " ".join(self._texts)
        probabilities = renormalised(self._language_seconds, request.languages)
        too_short = "too_short" if len(request.samples) < MIN_SAMPLES else None
        return Transcript(
            text=text,
            language=request.language or _likeliest(probabilities),
            language_probabilities=probabilities,
            mean_token_probability=geometric_mean(self._log_probability, self._tokens),
            no_speech_probability=self._no_speech_probability,
            rejected_by=None if text else self._rejected_by or too_short,
            audio_seconds=len(request.samples) / RATE_HZ,
            words=tuple(self._words),
            translation=" ".join(self._translations) if self._is_all_translated else None,
        )

    @property
    def _is_all_translated(self) -> bool:
        return 0 < len(self._translations) == len(self._texts)


@dataclass(slots=True, eq=False)
class Window:
    """One job's part of a step."""

    work: Work
    samples: Samples
    frames: int = 0  # with padding
    language: str = ""
    language_seconds: dict[str, float] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """Audio in this window."""
        return len(self.samples) / RATE_HZ

    @property
    def audio_frames(self) -> int:
        """Those of its spectrogram that are not padding."""
        return min(MAX_FRAMES, len(self.samples) // _FRAME_SAMPLES)

    def is_translated(self, text: str) -> bool:
        """Whether what was decoded is wanted in English too."""
        wanted = self.work.request.is_translated
        return bool(text) and wanted is not None and wanted(text, self.language)

    def rejection(self, decoding: Decoding, max_tokens: int, config: SttConfig) -> str | None:
        """The name of the guard that does not believe this decoding."""
        mean_log_probability = decoding.mean_log_probability
        if guards.is_no_speech(decoding.no_speech_probability, mean_log_probability, config):
            return guards.NO_SPEECH
        if guards.is_loop(decoding.tokens, config.loop_repeats):
            return guards.LOOP
        if len(decoding.tokens) >= max_tokens:
            return guards.TOO_MANY_TOKENS
        if guards.is_hallucination(
            decoding.text,
            self.language,
            mean_token_probability=geometric_mean(mean_log_probability, 1),
            audio_seconds=self.seconds,
        ):
            return guards.HALLUCINATION
        return None


def batches(windows: Sequence[Window], *, pads: bool) -> Iterator[list[Window]]:
    """Windows that go through the model together: one temperature, and one length.

    Where it `pads`, a batch is to be padded to its first window, at most about twice the shortest.
    """
    ordered = sorted(windows, key=lambda window: (window.work.temperature, -window.frames))
    for _, alike in groupby(ordered, key=lambda window: window.work.temperature):
        batch: list[Window] = []
        for window in alike:
            longest = 2 * window.frames + _SIMILAR_FRAMES if pads else window.frames
            if batch and batch[0].frames > longest:
                yield batch
                batch = []
            batch.append(window)
        yield batch


def renormalised(weights: Mapping[str, float], languages: Sequence[str]) -> dict[str, float]:
    """Shares of `languages` alone, sum 1; equal shares where none has any weight."""
    known = {language: weights.get(language, 0.0) for language in languages}
    total = sum(known.values())
    if total <= 0.0:
        return dict.fromkeys(known, 1.0 / len(known))
    return {language: weight / total for language, weight in known.items()}


def _likeliest(probabilities: Mapping[str, float]) -> str:
    return max(probabilities, key=probabilities.__getitem__)
