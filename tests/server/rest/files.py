"""Audio files of all kinds, made on the spot."""

import io

import av
import numpy as np
import numpy.typing as npt
from av.audio.stream import AudioStream

Pcm = npt.NDArray[np.int16]

KINDS = {
    "wav": "pcm_s16le",
    "mp3": "libmp3lame",
    "ogg": "libopus",
    "flac": "flac",
    "adts": "aac",
    "mp4": "aac",
    "webm": "libopus",
}


def tone(seconds: float, rate_hz: int = 48_000) -> Pcm:
    """int16[n] of 440 Hz."""
    time = np.arange(int(seconds * rate_hz)) / rate_hz
    return (8000 * np.sin(2 * np.pi * 440 * time)).astype(np.int16)


def encoded(kind: str, samples: Pcm, rate_hz: int = 48_000) -> bytes:
    """int16[n] as a file of one of the `KINDS`."""
    data = io.BytesIO()
    with av.open(data, "w", format=kind) as container:
        stream = container.add_stream(KINDS[kind], rate=rate_hz, layout="mono")
        assert isinstance(stream, AudioStream)
        for start in range(0, len(samples), rate_hz):
            frame = _frame(samples[start : start + rate_hz], rate_hz)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return data.getvalue()


def _frame(samples: Pcm, rate_hz: int) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate = rate_hz
    return frame
