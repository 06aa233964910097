"""Samples as files, part by part."""

import io
from typing import get_args

import av
import numpy as np
import pytest

from server.audio import decode_pcm16
from server.rest.encoding import RATE_HZ, AudioFileFormat, FileEncoder


@pytest.mark.parametrize("name", get_args(AudioFileFormat))
def test_the_parts_are_a_file_of_the_same_sound(name: AudioFileFormat) -> None:
    time = np.arange(2 * RATE_HZ) / RATE_HZ
    sound = (0.3 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)
    encoder = FileEncoder(name)
    parts = [encoder.push(piece) for piece in np.array_split(sound, 40)]
    assert any(parts[:10])  # it is not kept until the end
    data = b"".join([*parts, encoder.close()])
    if name == "pcm":
        heard, rate_hz = decode_pcm16(data), RATE_HZ
    else:
        with av.open(io.BytesIO(data), "r") as file:
            frames = [frame.to_ndarray()[0] for frame in file.decode(audio=0)]
            heard, rate_hz = np.concatenate(frames), file.streams.audio[0].rate
    assert len(heard) / rate_hz == pytest.approx(2.0, abs=0.1)
    spectrum = np.abs(np.fft.rfft(heard))
    assert spectrum.argmax() * rate_hz / len(heard) == pytest.approx(440, abs=2)
