"""Where the caller's speech starts, pauses and ends: probabilities in, boundaries out.

Counts windows of audio and never the wall clock, so that a recording gives the same boundaries at
any speed. Two thresholds (hysteresis) keep a probability that hovers from toggling the state. The
silence that ends a turn is adaptive: once it is known how far the words before a pause read as
complete, less of it is needed, or more.
"""

from dataclasses import dataclass
from enum import Enum, auto

import numpy as np

WINDOW_SECONDS = 0.032  # Silero's window: 512 samples at 16 kHz
# Probabilities, high ones: to talk over somebody is worse than to let them wait. Chosen from the
# rate of cut-ins against the median wait (docs/log.md).
_INCOMPLETE, _COMPLETE, _CERTAIN = 0.8, 0.9, 0.97
_COMPLETE_SHARE = 0.4  # of the way from the shortest silence to the middle one


class Boundary(Enum):
    """What a window of audio changed."""

    STARTED = auto()  # speech has lasted long enough to be speech
    PAUSED = auto()  # the turn may be over: work that can be thrown away may begin
    RESUMED = auto()  # it was not
    ENDED = auto()  # the turn is over


@dataclass(frozen=True, slots=True)
class EndpointingConfig:
    """Thresholds are speech probabilities; durations are seconds of audio."""

    speech_threshold: float = 0.5
    silence_threshold: float = 0.35
    minimum_speech_seconds: float = 0.1
    hasty_speech_seconds: float = 0.064  # instead of it, over an answer: holding that is cheap
    pause_seconds: float = 0.2
    eager_pause_seconds: float = 0.09  # instead of it, while work in vain takes nobody's time
    end_silence_seconds: float = 0.5  # while nothing is known of what was said
    shortest_end_silence_seconds: float = 0.15  # after words that are complete beyond doubt
    longest_end_silence_seconds: float = 1.2  # after words that read as incomplete

    def silence_after(self, completeness: float | None) -> float:
        """Silence that ends a turn that is complete with this probability, in seconds.

        The longest up to `_INCOMPLETE`, the shortest from `_CERTAIN` on, linear between them and
        what is enough at `_COMPLETE`.
        """
        if completeness is None:
            return self.end_silence_seconds
        longest, shortest = self.longest_end_silence_seconds, self.shortest_end_silence_seconds
        enough = shortest + _COMPLETE_SHARE * (self.end_silence_seconds - shortest)
        known = (_INCOMPLETE, _COMPLETE, _CERTAIN)
        return float(np.interp(completeness, known, (longest, enough, shortest)))


class Endpointer:
    """One caller's speech, window by window."""

    def __init__(self, config: EndpointingConfig) -> None:
        self.config = config
        self.speaking = False
        self._voiced_windows = 0  # in a row, before speech counts as started
        self._silent_windows = 0  # in a row, while speaking
        self.paused = False
        self._completeness: float | None = None  # of what was said before the present pause

    def process(
        self, speech_probability: float, *, hasty: bool = False, eager: bool = False
    ) -> Boundary | None:
        """The boundary that this window of 32 ms makes, if it makes one.

        `hasty`: less sound than usual counts as speech; `eager`: less silence as a pause.
        """
        if self.speaking:
            return self._while_speaking(speech_probability, eager)
        needed = self.config.hasty_speech_seconds if hasty else self.config.minimum_speech_seconds
        return self._while_silent(speech_probability, needed)

    @property
    def voiced_seconds(self) -> float:
        """Speech so far that has not yet counted as started."""
        return self._voiced_windows * WINDOW_SECONDS

    @property
    def silence_seconds(self) -> float:
        """Silence since the last voiced window of the running turn."""
        return self._silent_windows * WINDOW_SECONDS

    @property
    def required_silence_seconds(self) -> float:
        """Silence that ends the running turn, or ended the last one."""
        return self.config.silence_after(self._completeness)

    def expect_end(self, completeness: float | None) -> None:
        """How far the words before the present pause read as complete; too late, it is ignored.

        Where the silence has been long enough for that already, the turn ends with the next window.
        """
        if self.paused:
            self._completeness = completeness

    def reset(self) -> None:
        """As if nothing had been said."""
        self.speaking = self.paused = False
        self._completeness = None
        self._voiced_windows = self._silent_windows = 0

    def _while_silent(self, speech_probability: float, needed: float) -> Boundary | None:
        if speech_probability >= self.config.speech_threshold:
            self._voiced_windows += 1
        elif speech_probability < self.config.silence_threshold:
            self._voiced_windows = 0
        if not self._voiced_windows or self.voiced_seconds < needed:
            return None
        self.reset()
        self.speaking = True
        return Boundary.STARTED

    def _while_speaking(self, speech_probability: float, eager: bool) -> Boundary | None:
        if speech_probability >= self.config.speech_threshold:
            return self._voice()
        if self._silent_windows or speech_probability < self.config.silence_threshold:
            config = self.config
            return self._silence(config.eager_pause_seconds if eager else config.pause_seconds)
        return None

    def _voice(self) -> Boundary | None:
        resumed = self.paused
        self._silent_windows, self.paused, self._completeness = 0, False, None
        return Boundary.RESUMED if resumed else None

    def _silence(self, pause_seconds: float) -> Boundary | None:
        self._silent_windows += 1
        if self.silence_seconds >= self.required_silence_seconds:
            self.speaking = self.paused = False
            return Boundary.ENDED
        if not self.paused and self.silence_seconds >= pause_seconds:
            self.paused = True
            return Boundary.PAUSED
        return None
