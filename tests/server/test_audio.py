"""PCM16 and float32."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.errors import ProtocolError
from server.audio import decode_pcm16, encode_pcm16, int16_from_samples, samples_from_int16


def test_pcm16_is_little_endian() -> None:
    assert decode_pcm16(b"\x00\x40\x00\x80").tolist() == [0.5, -1.0]
    assert encode_pcm16(np.array([16384, -32768], dtype=np.int16)) == b"\x00\x40\x00\x80"


@given(st.binary(max_size=200).filter(lambda data: len(data) % 2 == 0))
def test_pcm16_survives_the_round_trip(data: bytes) -> None:
    assert encode_pcm16(int16_from_samples(decode_pcm16(data))) == data


def test_encoding_clips_instead_of_wrapping() -> None:
    loud = np.array([1.0, 1.5, -1.5], dtype=np.float32)
    assert int16_from_samples(loud).tolist() == [32767, 32767, -32768]


def test_int16_becomes_float_of_full_scale_one() -> None:
    samples = samples_from_int16(np.array([-32768, 0, 16384], dtype=np.int16))
    assert samples.dtype == np.float32
    assert samples.tolist() == [-1.0, 0.0, 0.5]


def test_an_odd_number_of_bytes_is_refused_with_a_code() -> None:
    with pytest.raises(ProtocolError, match="3 bytes") as raised:
        decode_pcm16(b"\x00\x00\x00")
    assert raised.value.code == "invalid_audio"
