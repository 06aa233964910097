"""One caller's audio: windows for the VAD, the utterance so far, and the session's audio clock."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

import numpy as np

from engines.batcher import Batcher, Job, Priority
from engines.vad import RATE_HZ, WINDOW_SAMPLES, VadRequest, VadResult, VadState
from server.audio import Samples
from server.conversation.endpointing import (
    WINDOW_SECONDS,
    Boundary,
    Endpointer,
    EndpointingConfig,
)
from server.items import MAXIMUM_RECORDING_SECONDS
from server.resampling import Resampler

_REMEMBERED_WINDOWS = round(3.0 / WINDOW_SECONDS)

VadBatcher = Batcher[VadRequest, VadResult]


@dataclass(frozen=True, slots=True)
class ListeningConfig:
    """What a listener is told."""

    endpointing: EndpointingConfig
    prefix_padding_seconds: float = 0.3  # audio kept from before the speech was noticed
    maximum_utterance_seconds: float = 30.0  # a longer turn is cut in two


@dataclass(frozen=True, slots=True)
class Heard:
    """A boundary, and where in the session's audio it lies."""

    boundary: Boundary
    at_seconds: float


class Listener:
    """Audio in at the wire's rate, boundaries of speech out, in audio time."""

    def __init__(self, vad: VadBatcher, config: ListeningConfig, rate_hz: int) -> None:
        self.config = config
        self._vad = vad
        self._vad_state: VadState | None = None
        self._endpointer = Endpointer(config.endpointing)
        self._resampler = Resampler(rate_hz, RATE_HZ)
        self._fresh: list[Samples] = []  # at the wire's rate: what does not make a window yet
        self._num_missing = self._resampler.num_missing(WINDOW_SAMPLES)  # until it does
        self._rest = np.zeros(0, dtype=np.float32)  # at 16 kHz, less than a window
        self._complete = np.zeros(0, dtype=np.float32)  # a turn that has ended and is not forgotten
        self._windows: deque[Samples] = deque()  # the utterance, or the padding before the next
        self._is_full = False  # and has lost its beginning: what is stored in push to talk
        self._count = 0  # windows since the session began: its clock
        self._probabilities: deque[float] = deque(maxlen=_REMEMBERED_WINDOWS)  # of speech

    @property
    def now_seconds(self) -> float:
        """Audio received since the session began."""
        return self._count * WINDOW_SECONDS

    @property
    def speaking(self) -> bool:
        """Whether the caller is in a turn."""
        return self._endpointer.speaking

    @property
    def paused(self) -> bool:
        """Whether the caller has been silent long enough for a pause of their turn."""
        return self._endpointer.paused

    @property
    def silence_seconds(self) -> float:
        """Silence since the caller's last voiced window."""
        return self._endpointer.silence_seconds

    @property
    def required_silence_seconds(self) -> float:
        """Silence that ends the running turn, or ended the last one."""
        return self._endpointer.required_silence_seconds

    def expect_end(self, completeness: float | None) -> None:
        """How far the words before the present pause read as complete."""
        self._endpointer.expect_end(completeness)

    @property
    def utterance_seconds(self) -> float:
        """Length of what `utterance` gives."""
        return len(self._complete) / RATE_HZ + len(self._windows) * WINDOW_SECONDS

    def speech_share(self, seconds: float) -> float:
        """Share of the last windows, of 3 s at most, that were more likely speech than not."""
        windows = list(self._probabilities)[-max(1, round(seconds / WINDOW_SECONDS)) :]
        voiced = sum(window >= self.config.endpointing.speech_threshold for window in windows)
        return voiced / max(1, len(windows))

    def utterance(self) -> Samples:
        """The turn so far with the padding before it: float32[n], mono, 16 kHz."""
        return np.concatenate([self._complete, *self._windows])

    def reconfigure(self, config: ListeningConfig, rate_hz: int) -> None:
        """Listen by other rules from now on; what was said so far is kept."""
        self.config = config
        self._endpointer.config = config.endpointing
        if rate_hz != self._resampler.from_hz:
            if self._fresh:
                self._rest = self._resampled()
            self._resampler = Resampler(rate_hz, RATE_HZ)
            self._num_missing = self._resampler.num_missing(WINDOW_SAMPLES - len(self._rest))

    def forget(self) -> None:
        """Drop the utterance, as if nothing had been said."""
        self._complete = self._complete[:0]
        self._windows.clear()
        self._is_full = False
        self._endpointer.reset()

    def dismiss(self) -> None:
        """What has just begun was no speech: keep it as what comes before the next."""
        self._endpointer.reset()
        self._trim()

    def windows(self, samples: Samples) -> list[Samples]:
        """Cut audio at the wire's rate into whole windows of float32[512] at 16 kHz."""
        self._fresh.append(samples)
        self._num_missing -= len(samples)
        if self._num_missing > 0:
            return []
        audio = self._resampled()
        whole = len(audio) - len(audio) % WINDOW_SAMPLES
        self._rest = audio[whole:]
        self._num_missing = self._resampler.num_missing(WINDOW_SAMPLES - len(self._rest))
        return [audio[start : start + WINDOW_SAMPLES] for start in range(0, whole, WINDOW_SAMPLES)]

    def _resampled(self) -> Samples:
        """All that waits, float32[n] at 16 kHz."""
        fresh, self._fresh = self._fresh, []
        return np.concatenate([self._rest, self._resampler.push(*fresh)])

    def store(self, windows: Sequence[Samples]) -> bool:
        """Keep windows without looking for speech in them (push to talk). True where these are the
        first that have no room: the beginning is lost from now on."""
        self._count += len(windows)
        self._windows.extend(windows)
        excess_seconds = self.utterance_seconds - MAXIMUM_RECORDING_SECONDS
        for _ in range(ceil(excess_seconds / WINDOW_SECONDS)):
            self._windows.popleft()
        was_full, self._is_full = self._is_full, self._is_full or excess_seconds > 0
        return self._is_full and not was_full

    def begin_to_hear(self, windows: Sequence[Samples]) -> Job[VadRequest, VadResult]:
        """The VAD's word on each of these windows, in order, for `hear`. One such job at a time."""
        samples = windows[0] if len(windows) == 1 else np.concatenate(windows)
        request = VadRequest(samples, self._vad_state)
        return self._vad.submit(request, priority=Priority.INTERRUPTION)

    def hear(
        self, window: Samples, result: VadResult, *, hasty: bool = False, eager: bool = False
    ) -> Heard | None:
        """Keep a window and say whether speech starts, pauses, resumes or ends with it.

        `hasty`: less sound than usual counts as speech; `eager`: less silence as a pause.
        """
        self._vad_state = result.state
        self._probabilities.append(result.speech_probability)
        self._count += 1
        self._windows.append(window)
        boundary = self._boundary(
            self._endpointer.process(result.speech_probability, hasty=hasty, eager=eager)
        )
        if boundary is None:
            return None
        return Heard(boundary, self._position(boundary))

    def _boundary(self, boundary: Boundary | None) -> Boundary | None:
        """What the endpointer found, unless the turn is too long; the utterance follows it."""
        too_long = self.utterance_seconds >= self.config.maximum_utterance_seconds
        if self._endpointer.speaking and too_long:
            self._endpointer.reset()
            boundary = Boundary.ENDED
        if boundary is Boundary.ENDED:
            self._complete = self.utterance()
            self._windows.clear()
        elif not self._endpointer.speaking:
            self._trim()
        return boundary

    def _position(self, boundary: Boundary) -> float:
        if boundary is Boundary.STARTED:
            return max(0.0, self.now_seconds - self.utterance_seconds)
        return self.now_seconds

    def _trim(self) -> None:
        keep_seconds = self.config.prefix_padding_seconds + self._endpointer.voiced_seconds
        while len(self._windows) * WINDOW_SECONDS > keep_seconds:
            self._windows.popleft()


def with_overrides(
    config: ListeningConfig,
    *,
    speech_threshold: float,
    prefix_padding_seconds: float,
    end_silence_seconds: float,
) -> ListeningConfig:
    """The configuration with what one session asked for.

    The thresholds keep their distance, and the adaptive silences their ratio to the middle one.
    """
    endpointing = config.endpointing
    scale = end_silence_seconds / endpointing.end_silence_seconds
    gap = endpointing.speech_threshold - endpointing.silence_threshold
    return replace(
        config,
        prefix_padding_seconds=prefix_padding_seconds,
        endpointing=replace(
            endpointing,
            speech_threshold=speech_threshold,
            silence_threshold=max(0.01, speech_threshold - gap),
            end_silence_seconds=end_silence_seconds,
            shortest_end_silence_seconds=scale * endpointing.shortest_end_silence_seconds,
            longest_end_silence_seconds=scale * endpointing.longest_end_silence_seconds,
            pause_seconds=min(endpointing.pause_seconds, end_silence_seconds),
        ),
    )


# Silence that ends a turn after words that are complete beyond doubt, that tell nothing, that read
# as incomplete: the last is how long the API lets each eagerness wait. Words that read as complete
# lie between the first two, at 0.6, 0.3 and 0.2 s.
_SILENCES_SECONDS = {
    "low": (0.34, 1.0, 8.0),
    "medium": (0.1, 0.6, 4.0),
    "auto": (0.1, 0.6, 4.0),
    "high": (0.07, 0.4, 2.0),
}


def with_eagerness(config: ListeningConfig, eagerness: str) -> ListeningConfig:
    """The configuration for a client that lets the words decide, and how soon."""
    shortest, middle, longest = _SILENCES_SECONDS[eagerness]
    endpointing = replace(
        config.endpointing,
        end_silence_seconds=middle,
        shortest_end_silence_seconds=shortest,
        longest_end_silence_seconds=longest,
        pause_seconds=min(config.endpointing.pause_seconds, middle),
    )
    return replace(config, endpointing=endpointing)
