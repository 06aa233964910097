"""The streaming resampler beside soxr's best, which has the whole recording at hand."""

import numpy as np
import pytest
import soxr

from server.audio import Samples
from server.resampling import Resampler
from tests.sounds import tone

RATES = [
    (24_000, 16_000),
    (8_000, 16_000),
    (16_000, 8_000),
    (22_050, 24_000),
    (22_050, 8_000),
    (16_000, 24_000),
    (48_000, 16_000),
]


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
    assert np.abs(streamed - whole)[inner].max() < 1e-4


@pytest.mark.parametrize(("from_hz", "to_hz"), RATES)
def test_a_resampler_holds_back_20_ms_at_most(from_hz: int, to_hz: int) -> None:
    resampler = Resampler(from_hz, to_hz)
    chunk = np.zeros(from_hz // 50, dtype=np.float32)
    given_seconds = taken_seconds = 0.0
    for _ in range(50):
        given_seconds += 0.02
        taken_seconds += len(resampler.push(chunk)) / to_hz
        assert given_seconds - taken_seconds <= 0.0201


@pytest.mark.parametrize("chunk_samples", [1, 77, 480, 24_000])
def test_the_size_of_the_chunks_does_not_change_the_sound(chunk_samples: int) -> None:
    samples = tone(24_000)
    streamed = stream_through(Resampler(24_000, 16_000), samples, chunk_samples)
    assert np.allclose(streamed, stream_through(Resampler(24_000, 16_000), samples, 480), atol=1e-6)


def test_what_lies_above_the_new_nyquist_frequency_is_gone() -> None:
    streamed = stream_through(Resampler(24_000, 16_000), tone(24_000, frequency_hz=10_000), 480)
    assert streamed[1_000:-1_000].std() < 1e-4


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize(("from_hz", "to_hz"), RATES)
def test_it_is_flat_to_nine_tenths_of_the_lower_nyquist_frequency(
    from_hz: int, to_hz: int, share: float
) -> None:
    heard = tone(from_hz, frequency_hz=share * min(from_hz, to_hz) / 2)
    streamed = stream_through(Resampler(from_hz, to_hz), heard, from_hz // 50)
    assert streamed[1_000:-1_000].std() == pytest.approx(0.5 / np.sqrt(2), rel=1e-3)


@pytest.mark.parametrize(("from_hz", "to_hz"), [*RATES, (16_000, 16_000)])
def test_it_says_how_much_is_missing_and_not_more(from_hz: int, to_hz: int) -> None:
    resampler = Resampler(from_hz, to_hz)
    given, wanted = tone(from_hz), 512
    while len(given) > from_hz // 10:
        missing = resampler.num_missing(wanted)
        before = len(resampler.push(given[: missing - 1]))
        assert before < wanted <= before + len(resampler.push(given[missing - 1 : missing]))
        given = given[missing:]


def test_chunks_pushed_together_are_one() -> None:
    one, other = tone(24_000)[:480], tone(24_000)[480:1_000]
    together = Resampler(24_000, 16_000).push(one, other)
    assert np.array_equal(together, Resampler(24_000, 16_000).push(np.concatenate([one, other])))


def test_equal_rates_pass_through_at_once() -> None:
    resampler = Resampler(16_000, 16_000)
    assert np.array_equal(resampler.push(tone(16_000)), tone(16_000))
    assert len(resampler.flush()) == 0


def test_a_flushed_resampler_begins_a_new_stream() -> None:
    resampler = Resampler(24_000, 16_000)
    first = stream_through(resampler, tone(24_000), 480)
    assert np.array_equal(stream_through(resampler, tone(24_000), 480), first)
