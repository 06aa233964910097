"""PCM16, levels and the streaming resampler."""

from itertools import pairwise

import numpy as np
import pytest
import soxr
from hypothesis import given
from hypothesis import strategies as st

from engines.errors import ProtocolError
from server.audio import (
    Pcm16Decoder,
    Resampler,
    Samples,
    decode_pcm16,
    encode_pcm16,
    int16_from_samples,
    rms,
    samples_from_int16,
)

RATES = [(24_000, 16_000), (8_000, 16_000), (22_050, 24_000), (22_050, 8_000), (16_000, 24_000)]


def tone(rate_hz: int, seconds: float = 1.0, frequency_hz: float = 440.0) -> Samples:
    time_seconds = np.arange(round(rate_hz * seconds)) / rate_hz
    return (0.5 * np.sin(2 * np.pi * frequency_hz * time_seconds)).astype(np.float32)


def test_pcm16_is_little_endian() -> None:
    assert decode_pcm16(b"\x00\x40\x00\x80").tolist() == [0.5, -1.0]
    assert encode_pcm16(np.array([0.5, -1.0], dtype=np.float32)) == b"\x00\x40\x00\x80"


@given(st.binary(max_size=200).filter(lambda data: len(data) % 2 == 0))
def test_pcm16_survives_the_round_trip(data: bytes) -> None:
    assert encode_pcm16(decode_pcm16(data)) == data


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


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=8))
def test_a_decoder_gives_the_same_samples_however_the_bytes_are_cut(
    data: bytes, cuts: list[int]
) -> None:
    data = data[: len(data) // 2 * 2]
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    decoder = Pcm16Decoder()
    pieces = [decoder.push(data[a:b]) for a, b in pairwise(edges)]
    assert np.array_equal(np.concatenate(pieces), decode_pcm16(data))


def test_rms_of_silence_a_tone_and_nothing() -> None:
    assert rms(np.zeros(100, dtype=np.float32)) == 0.0
    assert rms(tone(16_000)) == pytest.approx(0.5 / np.sqrt(2), rel=1e-3)
    assert rms(np.zeros(0, dtype=np.float32)) == 0.0


def stream_through(resampler: Resampler, samples: Samples, chunk_samples: int) -> Samples:
    starts = range(0, len(samples), chunk_samples)
    pieces = [resampler.push(samples[start : start + chunk_samples]) for start in starts]
    return np.concatenate([*pieces, resampler.flush()])


@pytest.mark.parametrize(("from_hz", "to_hz"), RATES)
def test_a_resampled_stream_has_the_length_and_the_sound_of_the_whole(
    from_hz: int, to_hz: int
) -> None:
    streamed = stream_through(Resampler(from_hz, to_hz), tone(from_hz), from_hz // 50)
    whole = soxr.resample(tone(from_hz), from_hz, to_hz, "VHQ")
    assert len(streamed) == to_hz
    inner = slice(to_hz // 10, -to_hz // 10)
    # Two samples later at most: 440 Hz moves by 0.5 * 2 * pi * 440 * 2 / rate meanwhile.
    assert np.abs(streamed - whole)[inner].max() < 0.5 * 2 * np.pi * 440 * 2.5 / to_hz


@pytest.mark.parametrize(("from_hz", "to_hz"), RATES)
def test_a_resampler_holds_back_30_ms_at_most(from_hz: int, to_hz: int) -> None:
    resampler = Resampler(from_hz, to_hz)
    chunk = np.zeros(from_hz // 50, dtype=np.float32)
    given_seconds = taken_seconds = 0.0
    for _ in range(50):
        given_seconds += 0.02
        taken_seconds += len(resampler.push(chunk)) / to_hz
        assert given_seconds - taken_seconds <= 0.0301


@pytest.mark.parametrize("chunk_samples", [1, 77, 480, 24_000])
def test_the_size_of_the_chunks_does_not_change_the_sound(chunk_samples: int) -> None:
    samples = tone(24_000)
    streamed = stream_through(Resampler(24_000, 16_000), samples, chunk_samples)
    assert np.allclose(streamed, stream_through(Resampler(24_000, 16_000), samples, 480), atol=1e-6)


def test_what_lies_above_the_new_nyquist_frequency_is_gone() -> None:
    streamed = stream_through(Resampler(24_000, 16_000), tone(24_000, frequency_hz=10_000), 480)
    assert rms(streamed[1_000:-1_000]) < 1e-4


def test_equal_rates_pass_through_at_once() -> None:
    resampler = Resampler(16_000, 16_000)
    assert np.array_equal(resampler.push(tone(16_000)), tone(16_000))
    assert len(resampler.flush()) == 0


def test_a_flushed_resampler_begins_a_new_stream() -> None:
    resampler = Resampler(24_000, 16_000)
    first = stream_through(resampler, tone(24_000), 480)
    assert np.array_equal(stream_through(resampler, tone(24_000), 480), first)
