"""What both telephone doors share: the line's audio, the keypad, and what becomes of a call."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import replace
from typing import Generic, Literal, TypeVar

import numpy as np
from aiohttp import web

from engines.errors import ProtocolError
from server.audio import Samples
from server.commands import AppendAudio, Command, KeysPressed
from server.config import TelephoneConfig
from server.g711 import RATE_HZ
from server.settings import AudioFormat, Settings

KEYS = "0123456789*#ABCD"
BURST_SECONDS = 5.0  # of audio at once, that the network had held back
SILENCE_AFTER_SECONDS = 0.5  # without audio: a line that sends none while its caller is silent
KEY_SECONDS = 0.05  # a telephone's tone is no shorter
TICK_SECONDS = 0.1  # between two looks at a line that sends nothing
FORM_SECONDS = 10.0  # in which a form that is posted has come
SEND_SECONDS = 5.0  # in which the other end has to take what we send, once its buffers are full

_MAXIMUM_KEYS = 32
_MAXIMUM_REMEMBERED = 1000  # calls

Outcome = Literal["person", "full", "over"]
ValueT = TypeVar("ValueT")


def telephone_settings(settings: Settings, *, reports_playback: bool) -> Settings:
    """A session's settings, at the telephone's rate both ways."""
    narrow = AudioFormat(rate_hz=RATE_HZ)
    return replace(
        settings, input_format=narrow, output_format=narrow, reports_playback=reports_playback
    )


class Keypad:
    """Collects keys until a pause or #; the pause is counted in audio, not by the clock."""

    def __init__(self, pause_seconds: float) -> None:
        self._pause_seconds = pause_seconds
        self._keys = ""
        self._waited_seconds = 0.0

    def press(self, key: str) -> str:
        """What has been entered, if this key ends it."""
        if key == "#":
            return self._take()
        self._keys += key
        self._waited_seconds = 0.0
        return self._take() if len(self._keys) == _MAXIMUM_KEYS else ""

    def wait(self, seconds: float) -> str:
        """What has been entered, if this much more audio ends it."""
        self._waited_seconds += seconds
        return self._take() if self._waited_seconds >= self._pause_seconds else ""

    def _take(self) -> str:
        keys, self._keys = self._keys, ""
        return keys


class Intake:
    """The caller's audio and keys, as a session wants them. Times are of the loop's clock.

    A session counts time in audio. So a line that sends none is given silence, and one that sends
    it, or keys, faster than anybody speaks is refused: others would have less of the engines. What
    has waited because we were late ourselves is not held against it, nor taken for silence.
    """

    def __init__(self, config: TelephoneConfig, now_seconds: float, *, has_persons: bool) -> None:
        self.wants_person = False
        self._person_key = config.person_key if has_persons else ""
        self._keypad = Keypad(config.key_pause_seconds)
        self._heard_at = self._looked_at = now_seconds
        self._spoken_until = now_seconds  # all that has come, had it come as it was spoken

    def hear(self, samples: Samples, now_seconds: float) -> Iterator[Command]:
        """float32[n] at 8 kHz has come. Raises `ProtocolError` when it is too much."""
        seconds = len(samples) / RATE_HZ
        self._spend(seconds, now_seconds)
        self._heard_at = now_seconds
        yield AppendAudio(samples)
        yield from self._entered(self._keypad.wait(seconds))

    def rest(self, now_seconds: float) -> Iterator[Command]:
        """Silence for the time in which no audio has come; asked after every look at the line."""
        if now_seconds - self._looked_at > SILENCE_AFTER_SECONDS:
            self._heard_at = now_seconds  # we were late: what has come since may wait to be read
        self._looked_at = now_seconds
        if now_seconds - self._heard_at >= TICK_SECONDS:
            self._spoken_until = max(self._spoken_until, now_seconds)  # nothing waits
        missing_seconds = now_seconds - self._heard_at - SILENCE_AFTER_SECONDS
        if missing_seconds >= TICK_SECONDS:
            self._heard_at += missing_seconds
            yield AppendAudio(np.zeros(round(missing_seconds * RATE_HZ), dtype=np.float32))
            yield from self._entered(self._keypad.wait(missing_seconds))

    def press(self, key: str, now_seconds: float) -> Iterator[Command]:
        """The caller has pressed a key, one of `KEYS`. Raises `ProtocolError` for too many."""
        self._spend(KEY_SECONDS, now_seconds)
        yield from self._entered(self._keypad.press(key))

    def _entered(self, keys: str) -> Iterator[Command]:
        if keys and keys == self._person_key:
            self.wants_person = True
        elif keys:
            yield KeysPressed(keys)

    def _spend(self, seconds: float, now_seconds: float) -> None:
        self._spoken_until += seconds
        if self._spoken_until > now_seconds + BURST_SECONDS:
            raise ProtocolError(
                "Audio or keys come faster than anybody speaks or types. Send them as they come.",
                code="too_fast",
            )


class Remembered(Generic[ValueT]):
    """What was told of the last calls, until it is asked for, once."""

    def __init__(self, unless_told: ValueT) -> None:
        self._unless_told = unless_told
        self._values: OrderedDict[str, ValueT] = OrderedDict()

    def note(self, call: str, value: ValueT) -> None:
        """Of this call."""
        self._values[call] = value
        if len(self._values) > _MAXIMUM_REMEMBERED:
            self._values.popitem(last=False)

    def take(self, call: str) -> ValueT:
        """What was noted last; it is forgotten then."""
        return self._values.pop(call, self._unless_told)


def outcomes() -> Remembered[Outcome]:
    """What became of calls, for who asks what to do with the caller next."""
    return Remembered("over")


async def posted_form(request: web.Request) -> list[tuple[str, str]]:
    """Names and values of a form. Raises 408 for one that does not come."""
    try:
        async with asyncio.timeout(FORM_SECONDS):
            posted = await request.post()
    except TimeoutError as error:
        raise web.HTTPRequestTimeout(
            text=f"The form did not arrive within {FORM_SECONDS:.0f} s."
        ) from error
    return [(name, value) for name, value in posted.items() if isinstance(value, str)]
