"""Audio files as samples, and what is no audio file."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engines.errors import ProtocolError
from server.audio import Samples
from server.rest.decoding import RATE_HZ, decode
from tests.server.rest.files import KINDS, encoded, tone

FILES = {kind: encoded(kind, tone(3.0)) for kind in KINDS}


async def decoded(data: bytes, max_seconds: float = 60.0) -> Samples:
    """All the samples of a file."""
    return np.concatenate([block async for block in decode(data, max_seconds)])


@pytest.mark.parametrize("kind", KINDS)
async def test_a_file_of_any_kind_is_its_sound(kind: str) -> None:
    samples = await decoded(FILES[kind])
    assert len(samples) / RATE_HZ == pytest.approx(3.0, abs=0.05)
    spectrum = np.abs(np.fft.rfft(samples))
    assert spectrum.argmax() * RATE_HZ / len(samples) == pytest.approx(440, abs=2)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "mp4"])
async def test_of_a_file_that_breaks_off_the_beginning_is_read(kind: str) -> None:
    data = FILES[kind]
    samples = await decoded(data[: len(data) // 2])
    assert 0.2 < len(samples) / RATE_HZ < 2.9


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 10_000,
        b"RIFF\0\0\0\0WAVEfmt ",
        FILES["mp4"][: len(FILES["mp4"]) // 2],  # its index is at the end
        encoded("wav", tone(0.0)),
        b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
        np.random.default_rng(3).bytes(50_000),
    ],
)
async def test_what_is_no_audio_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError) as refused:
        await decoded(data)
    assert refused.value.code == "invalid_audio"


async def test_a_list_of_other_files_opens_none_of_them(tmp_path: Path) -> None:
    secret = tmp_path / "secret.wav"
    secret.write_bytes(FILES["wav"])
    for playlist in (
        f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile://{secret}\n#EXT-X-ENDLIST\n",
        f"ffconcat version 1.0\nfile {secret}\n",
    ):
        with pytest.raises(ProtocolError):
            await decoded(playlist.encode())


async def test_an_hour_of_silence_in_a_small_file_is_stopped_at_the_limit() -> None:
    bomb = encoded("flac", np.zeros(300 * 48_000, np.int16))
    assert len(bomb) < 100_000
    longest = 0

    async def measure() -> None:
        nonlocal longest
        async for block in decode(bomb, 20.0):
            longest = max(longest, len(block))

    with pytest.raises(ProtocolError) as refused:
        await measure()
    assert refused.value.code == "audio_too_long"
    assert longest < 12 * RATE_HZ  # no more of it is in memory at a time


async def test_more_samples_than_so_much_time_can_have_are_stopped_too() -> None:
    dense = encoded("flac", np.zeros(30 * 192_000, np.int16), 192_000)
    await decoded(dense, 31.0)
    many_channels = b"".join(
        (
            b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\x08\0",  # PCM, 8 channels
            (96_000).to_bytes(4, "little"),
            (96_000 * 16).to_bytes(4, "little"),
            b"\x10\0\x10\0data\xff\xff\xff\xff",
            bytes(2 * 96_000 * 16),
        )
    )
    with pytest.raises(ProtocolError) as refused:
        await decoded(many_channels, 3.0)
    assert refused.value.code == "audio_too_long"


async def test_a_rate_that_nothing_records_is_refused() -> None:
    header = b"RIFF\x34\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0" + (604_000_000).to_bytes(4, "little")
    data = header + bytes(4) + b"\x02\0\x10\0data\x10\0\0\0" + bytes(16)
    with pytest.raises(ProtocolError, match="its rate is 604000000 Hz") as refused:
        await decoded(data, 3.0)
    assert refused.value.code == "invalid_audio"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    kind=st.sampled_from(sorted(KINDS)),
    start=st.floats(0, 1),
    damage=st.binary(min_size=1, max_size=60),
    keep=st.floats(0, 1),
)
async def test_a_damaged_file_is_read_or_refused(
    kind: str, start: float, damage: bytes, keep: float
) -> None:
    data = bytearray(FILES[kind])
    at = int(start * len(data))
    data[at : at + len(damage)] = damage
    samples = np.zeros(1, np.float32)
    with suppress(ProtocolError):  # anything else is a defect
        samples = await decoded(bytes(data[: int(keep * len(data))]), 30.0)
    assert np.isfinite(samples).all()
    assert np.abs(samples).max() <= 1.0
