"""A telephone: a microphone that never closes, a loudspeaker, and a line between them and us.

Time is counted in seconds since the call began. What is said and heard is kept for a recording.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from evaluation.caller import CallFailed, Spoken
from evaluation.recording import Microphone, Pcm, Playback, voiced_span, write_stereo
from evaluation.telephone.line import FRAME_SAMPLES, FRAME_SECONDS, Network
from server.g711 import RATE_HZ

TIMER_SECONDS = 0.001  # no timer is worth less

Deliver = Callable[[], Awaitable[None]]


class Phone(ABC):
    """One call. A door's own telephone knows how its frames go over the wire."""

    def __init__(self, uplink: Network, downlink: Network) -> None:
        self.microphone = Microphone(RATE_HZ)
        self.playback = Playback(RATE_HZ)
        self.is_over = False  # the server has hung up
        self._sound_until = 0.0
        self._uplink = uplink
        self._downlink = downlink
        self._loop = asyncio.get_running_loop()
        self._start = self._loop.time()
        self._outgoing: asyncio.Queue[tuple[float, Deliver]] = asyncio.Queue()
        self._incoming: asyncio.Queue[tuple[float, Deliver]] = asyncio.Queue()
        self._news = asyncio.Event()

    # ---- a door's own ---------------------------------------------------------------------------

    @abstractmethod
    async def send_audio(self, frame: Pcm, at_seconds: float) -> None:
        """Put 20 ms on the wire, int16[160], that were spoken until this time."""

    @abstractmethod
    def press(self, digit: str) -> None:
        """Press a key."""

    @abstractmethod
    async def receive(self) -> None:
        """Take in what comes, each piece by `arrives`, until the other end hangs up."""

    # ---- what a person does ---------------------------------------------------------------------

    @property
    def now_seconds(self) -> float:
        """Seconds since the call began."""
        return self._loop.time() - self._start

    def speak(self, samples: Pcm) -> Spoken:
        """Begin to say int16[n]. Returns at once: `rest_until` the end of it."""
        span = voiced_span(samples)
        if span is None:
            raise CallFailed("there is nothing to say: the speech is silent")
        start_seconds = self.microphone.speak(samples[: span[1]])
        return Spoken(start_seconds + span[0] / RATE_HZ, start_seconds + span[1] / RATE_HZ)

    async def rest_until(self, seconds: float) -> None:
        """Stay on the line, silent."""
        await self.wait_for(lambda: False, seconds)
        if self.is_over:
            raise CallFailed("the server has hung up")

    async def wait_for(self, condition: Callable[[], bool], until_seconds: float) -> bool:
        """Wait until something that came fulfils this, or the call is over, or it is time."""
        while not condition():
            self._news.clear()
            rest_seconds = until_seconds - self.now_seconds
            if self.is_over or rest_seconds < TIMER_SECONDS:
                return False
            try:
                async with asyncio.timeout(rest_seconds):
                    await self._news.wait()
            except TimeoutError:
                continue
        return True

    async def hear_out(self, since_seconds: float, timeout_seconds: float, calm: float) -> None:
        """Listen until something was heard and then nothing for `calm` seconds."""
        deadline = self.now_seconds + timeout_seconds
        while self.now_seconds < deadline:
            heard_until = self.sound_until(since_seconds)
            if heard_until is not None and heard_until + calm <= self.now_seconds:
                return
            await self.rest_until(self.now_seconds + 0.1)
        raise CallFailed(f"no answer was heard to its end within {timeout_seconds:.0f} s")

    def sound_until(self, since_seconds: float) -> float | None:
        """When the last sound received will have been heard; None: there was none after this."""
        return self._sound_until if self._sound_until > since_seconds else None

    def write(self, path: Path) -> None:
        """A stereo WAV: what was said left, what was heard right."""
        write_stereo(path, self.microphone.to_samples(), self.playback.to_samples(), RATE_HZ)

    # ---- the line -------------------------------------------------------------------------------

    def sends(self, deliver: Deliver) -> None:
        """Put something on the wire when the network has brought it there."""
        self._outgoing.put_nowait((self._uplink.arrives(self.now_seconds), deliver))

    def arrives(self, deliver: Deliver) -> None:
        """Take something from the wire in when the network has brought it here."""
        self._incoming.put_nowait((self._downlink.arrives(self.now_seconds), deliver))

    def hears(self, samples: Pcm, at_seconds: float) -> None:
        """int16[n] is there to be played at this time, or after what still plays."""
        self.playback.receive(samples, at_seconds)
        if voiced_span(samples):
            self._sound_until = self.playback.end_seconds

    def drops(self) -> None:
        """What has not been played by now never will be."""
        self.playback.interrupt(self.now_seconds)
        self._sound_until = min(self._sound_until, self.now_seconds)

    def hang_up(self) -> None:
        """The other end has left."""
        self.is_over = True
        self._news.set()

    @asynccontextmanager
    async def on_the_line(self) -> AsyncIterator[None]:
        """Send and receive as long as the block runs; what it raises comes out as it is."""
        failure: Exception | None = None
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(self._talk(), name="talk"),
                tasks.create_task(self.receive(), name="receive"),
                tasks.create_task(self._carry(self._outgoing), name="uplink"),
                tasks.create_task(self._carry(self._incoming), name="downlink"),
            ]
            try:
                yield
            except Exception as error:
                failure = error
            for task in running:
                task.cancel()
        if failure is not None:
            raise failure

    async def _talk(self) -> None:
        due = self.now_seconds
        while not self.is_over:
            due += FRAME_SECONDS
            await asyncio.sleep(due - self.now_seconds)
            frame = self.microphone.take(FRAME_SAMPLES)
            if not self._uplink.loses():
                await self.send_audio(frame, due)

    async def _carry(self, queue: asyncio.Queue[tuple[float, Deliver]]) -> None:
        while True:
            due, deliver = await queue.get()
            await asyncio.sleep(due - self.now_seconds)
            try:
                await deliver()
            except ConnectionError:
                return  # the receiver knows why
            self._news.set()
