"""Long audio in windows that the recognizer takes at once, cut where nobody speaks.

Silero says how probable speech is in every 32 ms; what is silent for long is left out. One pass,
and no more than one window in memory.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import numpy as np

from engines.host import Engines
from engines.vad import RATE_HZ, WINDOW_SAMPLES, VadRequest, VadState
from server.audio import Samples

LONGEST_SECONDS = 28.0  # Whisper takes 30

_STEP_SECONDS = WINDOW_SAMPLES / RATE_HZ
_LONGEST_STEPS = int(LONGEST_SECONDS / _STEP_SECONDS)
_EARLIEST_CUT = 0.4  # of the window
_CUT_STEPS = 6  # a cut is in the middle of the 0.2 s that are least like speech
_PADDING_STEPS = 10  # 0.3 s of what was before and after speech
_SILENT_STEPS = 31  # 1 s without speech end a window
_SPEECH, _SILENCE = 0.5, 0.35  # probabilities at which speech begins and ends


@dataclass(frozen=True, slots=True, eq=False)
class SpeechWindow:
    """A stretch of speech: float32[n], mono, 16 kHz, and where in the audio it begins."""

    samples: Samples
    start_seconds: float


class _Window:
    """The window in the making, step by step of 32 ms."""

    def __init__(self) -> None:
        self.first_step = 0  # where in the audio it begins
        self._steps: list[Samples] = []
        self._probabilities: list[float] = []
        self._silent_steps = 0
        self._has_speech = False

    def add(self, samples: Samples, probability: float) -> None:
        """Take the next float32[512]; before speech, only the last of them are kept."""
        self._steps.append(samples)
        self._probabilities.append(probability)
        is_speech = probability >= (_SILENCE if self._has_speech else _SPEECH)
        self._has_speech = self._has_speech or is_speech
        self._silent_steps = 0 if is_speech else self._silent_steps + 1
        if not self._has_speech and len(self._steps) > _PADDING_STEPS:
            self._drop(len(self._steps) - _PADDING_STEPS)

    def take(self, *, at_the_end: bool = False) -> SpeechWindow | None:
        """The window if it is complete, without the silence after it."""
        is_over = at_the_end or self._silent_steps >= _SILENT_STEPS
        if not (self._has_speech and (is_over or len(self._steps) >= _LONGEST_STEPS)):
            return None
        trailing = max(0, self._silent_steps - _PADDING_STEPS)
        end = len(self._steps) - trailing if is_over else self._quietest_step()
        window = SpeechWindow(
            np.concatenate(self._steps[:end]), self.first_step * WINDOW_SAMPLES / RATE_HZ
        )
        self._drop(end)
        self._has_speech = not is_over
        return window

    def _drop(self, steps: int) -> None:
        del self._steps[:steps], self._probabilities[:steps]
        self.first_step += steps

    def _quietest_step(self) -> int:
        earliest = int(_EARLIEST_CUT * len(self._steps))
        near = np.convolve(self._probabilities[earliest:], np.ones(_CUT_STEPS), mode="valid")
        return earliest + int(near.argmin()) + _CUT_STEPS // 2


async def speech_windows(
    engines: Engines, blocks: AsyncIterator[Samples]
) -> AsyncIterator[SpeechWindow]:
    """The speech in float32[n] blocks of mono audio at 16 kHz. Raises `EngineError`."""
    window = _Window()
    state: VadState | None = None
    async for block in _whole_steps(blocks):
        steps = iter(block.reshape(-1, WINDOW_SAMPLES))
        async with engines.vad.submit(VadRequest(block, state)) as job:
            async for result in job:
                state = result.state
                window.add(next(steps), result.speech_probability)
                if (complete := window.take()) is not None:
                    yield complete
    if (complete := window.take(at_the_end=True)) is not None:
        yield complete


async def _whole_steps(blocks: AsyncIterator[Samples]) -> AsyncIterator[Samples]:
    """float32[512 n] each, the last one filled up with silence."""
    rest = np.zeros(0, np.float32)
    async for block in blocks:
        rest = np.concatenate([rest, block])
        whole = len(rest) // WINDOW_SAMPLES * WINDOW_SAMPLES
        if whole:
            yield rest[:whole]
        rest = rest[whole:]
    if len(rest):
        yield np.pad(rest, (0, WINDOW_SAMPLES - len(rest)))
