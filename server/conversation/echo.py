"""Is a sound of the caller our own voice, come back through their microphone?

A client without echo cancellation sends us, a little later and weaker, what we sent it. That is not
to be taken for an interruption: the answer would stop at its own sound, for ever anew. What was
sent is known, and so a sound can be compared with it as a waveform: the normalised correlation at
the likeliest delay is the share of the sound's amplitude that our own voice explains. Words of a
caller over the echo bring it down at once, since they are louder.

A room that reverberates much, or a client that works on the sound, lowers it too. What is missed
here is still judged by its words (interruption.py).
"""

from collections import deque
from dataclasses import dataclass

import numpy as np

from engines.vad import RATE_HZ
from server.audio import Pcm, Samples
from server.resampling import resample

HEARD_SECONDS = (
    0.25  # of the sound, its end: enough to be sure, little enough to hear a voice begin
)
LONGEST_DELAY_SECONDS = 1.0  # of the network, the client's buffer, the air
_EARLY_SECONDS = 0.1  # as clocks and buffers are not exact
_SHORTEST_SECONDS = 0.1  # of sound; less says nothing


@dataclass(frozen=True, slots=True)
class _Clip:
    starts_seconds: float  # when it begins to be heard, by the loop's clock
    pcm: Pcm
    rate_hz: int

    @property
    def ends_seconds(self) -> float:
        return self.starts_seconds + len(self.pcm) / self.rate_hz


class SentSound:
    """The last second or two of what one caller was sent."""

    def __init__(self) -> None:
        self._clips: deque[_Clip] = deque()

    def add(self, pcm: Pcm, rate_hz: int, starts_seconds: float) -> None:
        """int16[n] has left; it is heard from `starts_seconds` on, by the loop's clock."""
        self._clips.append(_Clip(starts_seconds, pcm, rate_hz))
        self._forget_before(starts_seconds - LONGEST_DELAY_SECONDS - HEARD_SECONDS)

    def likeness(self, heard: Samples, ended_seconds: float) -> float:
        """How far float32[n] at 16 kHz, whose last sample came then, is an echo: 0 to 1."""
        heard = _without_rumble(heard[-round(HEARD_SECONDS * RATE_HZ) :])
        self._forget_before(ended_seconds - LONGEST_DELAY_SECONDS - HEARD_SECONDS)
        if not self._clips or len(heard) < _SHORTEST_SECONDS * RATE_HZ:
            return 0.0
        sent = self._sent(ended_seconds - LONGEST_DELAY_SECONDS - HEARD_SECONDS, ended_seconds)
        return _highest_correlation(heard, _without_rumble(sent))

    def _sent(self, start_seconds: float, end_seconds: float) -> Samples:
        """What was heard between two times, and a little later: float32[n] at 16 kHz."""
        rate_hz = self._clips[-1].rate_hz
        tape = np.zeros(round((end_seconds + _EARLY_SECONDS - start_seconds) * rate_hz), np.float32)
        for clip in self._clips:
            start = round((clip.starts_seconds - start_seconds) * rate_hz)
            begin, end = max(start, 0), min(start + len(clip.pcm), len(tape))
            if clip.rate_hz == rate_hz and begin < end:
                tape[begin:end] = clip.pcm[begin - start : end - start]
        return resample(tape, rate_hz, RATE_HZ)

    def _forget_before(self, seconds: float) -> None:
        while self._clips and self._clips[0].ends_seconds < seconds:
            self._clips.popleft()


def _without_rumble(samples: Samples) -> Samples:
    """The differences: low frequencies, where all voices are alike, count less."""
    return np.diff(samples)


def _highest_correlation(heard: Samples, sent: Samples) -> float:
    """The normalised correlation of `heard` with the stretch of `sent` that is most like it."""
    size = 1 << (len(heard) + len(sent)).bit_length()
    spectrum = np.fft.rfft(sent, size) * np.conj(np.fft.rfft(heard, size))
    products = np.fft.irfft(spectrum, size)[: len(sent) - len(heard) + 1]
    sums = np.concatenate([[0.0], np.cumsum(sent.astype(np.float64) ** 2)])
    energies = sums[len(heard) :] - sums[: -len(heard)]
    loud = energies > 0.01 * energies.max(initial=0.0)  # silence is like nothing
    if not loud.any():
        return 0.0
    norms = np.sqrt(energies[loud] * float(np.sum(heard.astype(np.float64) ** 2)))
    return float(np.max(np.abs(products[loud]) / np.maximum(norms, 1e-12)))
