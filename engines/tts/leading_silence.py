"""Speech that begins with its first sound: Piper's voices are silent for 40 to 100 ms before it."""

from collections.abc import Iterator
from itertools import chain

import numpy as np

from engines.tts.voice import Mark, Samples

KEPT_SECONDS = 0.01  # before the first sound, where a consonant may swell from nothing
LONGEST_SECONDS = 0.3  # that is cut: a voice that stays silent is not waited for
_WINDOW_SECONDS = 0.005
_SILENCE_RMS = 32768 * 10 ** (-55 / 20)  # an "f" has passed it 10 ms after it began


def without_leading_silence(
    chunks: Iterator[Samples | Mark], rate_hz: int
) -> Iterator[Samples | Mark]:
    """What `Voice.speak` gives, from `KEPT_SECONDS` before its first sound on, and its marks by as
    much earlier. It comes as soon as that sound is there."""
    chunks = iter(chunks)
    longest = round(LONGEST_SECONDS * rate_hz)
    audio, marks = np.zeros(0, np.int16), list[Mark]()
    silent = 0
    for item in chunks:
        if isinstance(item, Mark):
            marks.append(item)
            continue
        audio = np.concatenate([audio, item])
        silent = _num_silent(audio, rate_hz)
        if silent < len(audio) or silent >= longest:
            break
    cut = min(max(0, silent - round(KEPT_SECONDS * rate_hz)), longest)
    begun = [audio[cut:]] if len(audio) else []
    for item in chain(marks, begun, chunks):
        if isinstance(item, Mark):
            yield Mark(item.characters, max(0.0, item.seconds - cut / rate_hz))
        else:
            yield item


def _num_silent(audio: Samples, rate_hz: int) -> int:
    """Samples before the first window with a sound; all of them where there is none."""
    window = round(_WINDOW_SECONDS * rate_hz)
    windows = audio[: len(audio) // window * window].reshape(-1, window).astype(np.float64)
    loud = np.flatnonzero(np.mean(np.square(windows), axis=1) > _SILENCE_RMS**2)
    return int(loud[0]) * window if len(loud) else len(audio)
