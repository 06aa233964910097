"""What a caller says and hears, each sample where it was in time, and the stereo WAV of both."""

import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Pcm = npt.NDArray[np.int16]

SILENCE_PEAK = 330  # of 32768, -40 dB: whatever stays below is silence


def voiced_span(samples: Pcm) -> tuple[int, int] | None:
    """First sample that is not silent and the one after the last; None when all is silence."""
    voiced = np.flatnonzero(np.abs(samples.astype(np.int32)) > SILENCE_PEAK)
    return (int(voiced[0]), int(voiced[-1]) + 1) if len(voiced) else None


@dataclass(slots=True)
class _Clip:
    start: int  # in samples since the call began
    samples: Pcm

    @property
    def end(self) -> int:
        return self.start + len(self.samples)


class Microphone:
    """The caller's side of the line: speech where there is some, silence everywhere else."""

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self._taken: list[Pcm] = []
        self._num_taken = 0
        self._waiting = np.zeros(0, dtype=np.int16)

    def speak(self, samples: Pcm) -> float:
        """Say this next, after all that waits. Returns when it begins, in seconds of the call."""
        start = self._num_taken + len(self._waiting)
        self._waiting = np.concatenate([self._waiting, samples])
        return start / self.rate_hz

    def take(self, num_samples: int) -> Pcm:
        """The next int16[num_samples] of the line."""
        frame = np.zeros(num_samples, dtype=np.int16)
        speech = self._waiting[:num_samples]
        frame[: len(speech)] = speech
        self._waiting = self._waiting[num_samples:]
        self._taken.append(frame)
        self._num_taken += num_samples
        return frame

    def to_samples(self) -> Pcm:
        """All that was sent, int16[n]."""
        return np.concatenate([np.zeros(0, dtype=np.int16), *self._taken])


class Playback:
    """The caller's loudspeaker: audio plays when it arrives, or after what still plays."""

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self._clips: list[_Clip] = []

    @property
    def end_seconds(self) -> float:
        """When the last of the audio received so far will have been played."""
        return self._clips[-1].end / self.rate_hz if self._clips else 0.0

    def receive(self, samples: Pcm, at_seconds: float) -> None:
        """int16[n] has arrived."""
        start = round(max(at_seconds, self.end_seconds) * self.rate_hz)
        self._clips.append(_Clip(start, samples))

    def interrupt(self, at_seconds: float) -> None:
        """Fall silent: what has not been played by now never will be."""
        now = round(at_seconds * self.rate_hz)
        for clip in self._clips:
            clip.samples = clip.samples[: max(0, now - clip.start)]
        self._clips = [clip for clip in self._clips if len(clip.samples)]

    def first_sound_after(self, seconds: float) -> float | None:
        """When the first sample that is not silent is played from then on."""
        start = round(seconds * self.rate_hz)
        for clip in self._clips:
            begin = max(0, start - clip.start)
            span = voiced_span(clip.samples[begin:])
            if span is not None:
                return (clip.start + begin + span[0]) / self.rate_hz
        return None

    def to_samples(self) -> Pcm:
        """All that was played, int16[n] from the beginning of the call."""
        tape = np.zeros(self._clips[-1].end if self._clips else 0, dtype=np.int16)
        for clip in self._clips:
            tape[clip.start : clip.end] = clip.samples
        return tape


def write_stereo(path: Path, left: Pcm, right: Pcm, rate_hz: int) -> None:
    """A WAV of both sides, the shorter one filled up with silence."""
    both = np.zeros((max(len(left), len(right)), 2), dtype="<i2")
    both[: len(left), 0] = left
    both[: len(right), 1] = right
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(both.tobytes())
