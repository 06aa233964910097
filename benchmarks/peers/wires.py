"""How the callers speak to each system: the Realtime protocol, or plain samples."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import aiohttp
import numpy as np

from evaluation.caller import Caller, call, connect
from evaluation.recording import Pcm

Dial = Callable[[str], AbstractAsyncContextManager[Caller]]


class PcmCaller(Caller):
    """PCM16 at 24 kHz in binary messages both ways; the text "interrupt" stops the loudspeaker."""

    async def _send_audio(self, samples: Pcm) -> None:
        await self._socket.send_bytes(samples.tobytes())

    def _take_message(self, message: aiohttp.WSMessage) -> None:
        if message.type is aiohttp.WSMsgType.BINARY:
            self.playback.receive(np.frombuffer(message.data, dtype="<i2"), self.now_seconds)
        elif message.type is aiohttp.WSMsgType.TEXT and message.data == "interrupt":
            self.playback.interrupt(self.now_seconds)
        self._news.set()


def _realtime(url: str) -> AbstractAsyncContextManager[Caller]:
    return call(url, extension_events=())


def _pcm(url: str) -> AbstractAsyncContextManager[Caller]:
    return connect(url, PcmCaller)


WIRES: dict[str, Dial] = {"realtime": _realtime, "pcm": _pcm}
