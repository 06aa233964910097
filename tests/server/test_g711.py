"""The telephone's codecs against FFmpeg's and against the standard's own bounds."""

from collections.abc import Callable

import av
import numpy as np
import pytest

from server.audio import Pcm, Samples, int16_from_samples
from server.g711 import RATE_HZ, decode_a_law, decode_mu_law, encode_a_law, encode_mu_law

ALL_CODES = bytes(range(256))
EVERY_SAMPLE = np.arange(-32768, 32768).astype(np.int16)
CODECS = pytest.mark.parametrize(
    ("encode", "decode", "name"),
    [(encode_mu_law, decode_mu_law, "pcm_mulaw"), (encode_a_law, decode_a_law, "pcm_alaw")],
    ids=["mu-law", "A-law"],
)

Encode = Callable[[Pcm], bytes]
Decode = Callable[[bytes], Samples]


def ffmpeg(name: str, data: bytes) -> list[int]:
    """What FFmpeg makes of these bytes."""
    context = av.CodecContext.create(name, "r")
    assert isinstance(context, av.AudioCodecContext)
    context.sample_rate = RATE_HZ
    context.layout = "mono"
    (frame,) = context.decode(av.Packet(data))
    return [int(sample) for sample in frame.to_ndarray()[0]]


@CODECS
def test_every_code_decodes_as_with_ffmpeg(encode: Encode, decode: Decode, name: str) -> None:
    assert int16_from_samples(decode(ALL_CODES)).tolist() == ffmpeg(name, ALL_CODES)


@CODECS
def test_every_level_survives(encode: Encode, decode: Decode, name: str) -> None:
    levels = decode(ALL_CODES)
    assert decode(encode(int16_from_samples(levels))).tolist() == levels.tolist()


@CODECS
def test_every_sample_is_within_half_a_step(encode: Encode, decode: Decode, name: str) -> None:
    samples = EVERY_SAMPLE.astype(np.int32)
    decoded = int16_from_samples(decode(encode(EVERY_SAMPLE)))
    error = np.abs(decoded.astype(np.int32) - samples)
    half_steps = np.maximum(8, np.abs(samples) // 16)  # 16 steps in every doubling
    loudest = np.abs(samples) > 32_635  # clipped
    assert np.all((error <= half_steps) | loudest)
    assert error[loudest].max() <= 32768 - 32124


@CODECS
def test_louder_is_never_decoded_as_quieter(encode: Encode, decode: Decode, name: str) -> None:
    decoded = decode(encode(EVERY_SAMPLE))
    assert np.all(np.diff(decoded) >= 0)


def test_the_standards_own_values() -> None:
    assert encode_mu_law(np.zeros(2, dtype=np.int16)) == b"\xff\xff"
    assert encode_a_law(np.zeros(2, dtype=np.int16)) == b"\xd5\xd5"
    assert int16_from_samples(decode_mu_law(b"\x80\x00\xff")).tolist() == [32124, -32124, 0]
    assert int16_from_samples(decode_a_law(b"\xaa\x2a\xd5")).tolist() == [32256, -32256, 8]
    assert encode_mu_law(np.array([32767, -32768], dtype=np.int16)) == b"\x80\x00"


@CODECS
def test_nothing_is_nothing(encode: Encode, decode: Decode, name: str) -> None:
    assert encode(np.zeros(0, dtype=np.int16)) == b""
    assert len(decode(b"")) == 0
