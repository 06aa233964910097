"""The sound of a conversation's newest items, for a client that asks for it."""

from dataclasses import dataclass, field

import numpy as np

from server.audio import Pcm


@dataclass(slots=True)
class _Clip:
    rate_hz: int
    parts: list[Pcm] = field(default_factory=list)
    num_samples: int = 0
    is_kept: bool = True

    @property
    def seconds(self) -> float:
        return self.num_samples / self.rate_hz


class KeptAudio:
    """Keeps at most `maximum_seconds` in all; the oldest items' sound is forgotten first."""

    def __init__(self, maximum_seconds: float) -> None:
        self._maximum_seconds = maximum_seconds
        self._clips: dict[str, _Clip] = {}  # from the oldest to the newest
        self._seconds = 0.0

    def add(self, item_id: str, pcm: Pcm, rate_hz: int) -> None:
        """The next sound of an item: int16[n] at `rate_hz`, the same for all of an item."""
        clip = self._clips.setdefault(item_id, _Clip(rate_hz))
        if not clip.is_kept:
            return
        clip.parts.append(pcm)
        clip.num_samples += len(pcm)
        self._seconds += len(pcm) / rate_hz
        while self._seconds > self._maximum_seconds:
            self._forget_oldest(item_id)

    def cut(self, item_id: str, seconds: float) -> None:
        """Only the first `seconds` of an item were heard."""
        clip = self._clips.get(item_id)
        if clip is None or seconds >= clip.seconds:
            return
        self._seconds -= clip.seconds
        clip.parts = [np.concatenate(clip.parts)[: max(0, round(seconds * clip.rate_hz))]]
        clip.num_samples = len(clip.parts[0])
        self._seconds += clip.seconds

    def forget(self, item_id: str) -> None:
        """An item has left the conversation."""
        clip = self._clips.pop(item_id, None)
        if clip is not None:
            self._seconds -= clip.seconds

    def get(self, item_id: str) -> tuple[Pcm, int] | None:
        """An item's sound, int16[n], and its rate in Hz; None where none is kept. As long as it
        does not change it is the same array, however often it is asked for."""
        clip = self._clips.get(item_id)
        if clip is None or not clip.num_samples:
            return None
        if len(clip.parts) > 1:
            clip.parts = [np.concatenate(clip.parts)]
        return clip.parts[0], clip.rate_hz

    def _forget_oldest(self, newest_id: str) -> None:
        """One item's sound; that of the newest only when it is too long by itself."""
        oldest_id = next(iter(self._clips))
        if oldest_id != newest_id:
            self.forget(oldest_id)
            return
        clip = self._clips[newest_id]
        self._seconds -= clip.seconds
        clip.parts, clip.num_samples, clip.is_kept = [], 0, False
