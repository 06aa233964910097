"""What a caller says and hears, each sample where it was in time, and the stereo WAV of both."""

import wave
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

Pcm = npt.NDArray[np.int16]
Background = Callable[[int, int], Pcm]  # first sample since the call began, number of samples

SILENCE_PEAK = 330  # of 32768, -40 dB: whatever stays below is silence
GAP_SECONDS = 0.1  # of nothing to play, after which playback counts as stopped


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
    """The caller's side of the line: speech where there is some, silence everywhere else.

    `backgrounds` are mixed into all of it: a room's noise, an echo of the loudspeaker.
    """

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self.backgrounds: list[Background] = []
        self._taken: list[Pcm] = []
        self._num_taken = 0
        self._waiting = np.zeros(0, dtype=np.int16)

    def speak(self, samples: Pcm) -> float:
        """Say this next, after all that waits. Returns when it begins, in seconds of the call."""
        start = self._num_taken + len(self._waiting)
        self._waiting = np.concatenate([self._waiting, samples])
        return start / self.rate_hz

    @property
    def taken_seconds(self) -> float:
        """Seconds of audio that were sent."""
        return self._num_taken / self.rate_hz

    def take(self, num_samples: int) -> Pcm:
        """The next int16[num_samples] of the line."""
        frame = self._waiting[:num_samples]
        self._waiting = self._waiting[num_samples:]
        if len(frame) < num_samples:
            frame = np.concatenate([frame, np.zeros(num_samples - len(frame), dtype=np.int16)])
        if self.backgrounds:
            frame = self._mixed(frame)
        self._taken.append(frame)
        self._num_taken += num_samples
        return frame

    def _mixed(self, speech: Pcm) -> Pcm:
        mixed = speech.astype(np.int32)
        for background in self.backgrounds:
            mixed += background(self._num_taken, len(speech))
        return np.clip(mixed, -32768, 32767).astype(np.int16)

    def to_samples(self) -> Pcm:
        """All that was sent, int16[n]."""
        return np.concatenate([np.zeros(0, dtype=np.int16), *self._taken])


class Playback:
    """The caller's loudspeaker: audio plays when it arrives, or after what still plays.

    Paused, it is silent at once, and goes on with what was left when it is resumed.
    """

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self._clips: list[_Clip] = []
        self._held: list[Pcm] | None = None  # what waits for the end of a pause
        self.cuts: list[float] = []  # when it was paused or interrupted

    @property
    def end_seconds(self) -> float:
        """When the last of the audio received so far will have been played."""
        return self._clips[-1].end / self.rate_hz if self._clips else 0.0

    @property
    def is_paused(self) -> bool:
        """Whether it was paused, and neither resumed nor interrupted."""
        return self._held is not None

    def receive(self, samples: Pcm, at_seconds: float) -> None:
        """int16[n] has arrived."""
        if self._held is not None:
            self._held.append(samples)
            return
        start = round(max(at_seconds, self.end_seconds) * self.rate_hz)
        self._clips.append(_Clip(start, samples))

    def pause(self, at_seconds: float) -> None:
        """Fall silent, and keep what has not been played by now."""
        if self._held is None:
            self._held = self._cut(at_seconds)

    def resume(self, at_seconds: float) -> None:
        """Play on from where it was paused."""
        held, self._held = self._held or [], None
        for samples in held:
            self.receive(samples, at_seconds)

    def interrupt(self, at_seconds: float) -> None:
        """Fall silent: what has not been played by now never will be."""
        self._cut(at_seconds)
        self._held = None

    def _cut(self, at_seconds: float) -> list[Pcm]:
        """Take back what has not been played by now."""
        self.cuts.append(at_seconds)
        now = round(at_seconds * self.rate_hz)
        rest = [clip.samples[max(0, now - clip.start) :] for clip in self._clips if clip.end > now]
        for clip in self._clips:
            clip.samples = clip.samples[: max(0, now - clip.start)]
        self._clips = [clip for clip in self._clips if len(clip.samples)]
        return rest

    def is_heard_at(self, seconds: float) -> bool:
        """Whether something plays then, or has played and goes on within half a second."""
        now, soon = round(seconds * self.rate_hz), round((seconds + 0.5) * self.rate_hz)
        has_begun = any(clip.start <= now for clip in self._clips)
        return has_begun and any(clip.end > now and clip.start <= soon for clip in self._clips)

    def gaps(
        self, start_seconds: float, end_seconds: float, *, longer_than_seconds: float = GAP_SECONDS
    ) -> list[tuple[float, float]]:
        """Where, between two times, nothing played for long between what did."""
        gap, rate_hz = round(longer_than_seconds * self.rate_hz), self.rate_hz
        return [
            (first.end / rate_hz, second.start / rate_hz)
            for first, second in pairwise(self._clips)
            if second.start - first.end > gap
            and first.end >= start_seconds * rate_hz
            and second.start <= end_seconds * rate_hz
        ]

    def between(self, start: int, num_samples: int) -> Pcm:
        """int16[num_samples] as played from sample `start` of the call on."""
        stretch = np.zeros(num_samples, dtype=np.int16)
        for clip in reversed(self._clips):
            if clip.end <= start:
                break
            begin, end = max(start, clip.start), min(start + num_samples, clip.end)
            if begin < end:
                part = clip.samples[begin - clip.start : end - clip.start]
                stretch[begin - start : end - start] = part
        return stretch

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
