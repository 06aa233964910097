"""AudioSocket's frames: however they are cut, and whatever is in them."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.errors import ProtocolError
from server.protocol.audiosocket_frames import (
    Audio,
    Begin,
    End,
    Frame,
    FrameParser,
    Key,
    Kind,
    decode,
)

FRAMES = st.lists(st.builds(Frame, st.integers(0, 255), st.binary(max_size=400)), max_size=6)


def test_a_frame_is_a_kind_a_length_and_a_payload() -> None:
    assert Frame(Kind.TERMINATE).to_bytes() == b"\x00\x00\x00"
    assert Frame(Kind.AUDIO, bytes(320)).to_bytes()[:3] == b"\x10\x01\x40"


@given(FRAMES, st.lists(st.integers(1, 50), min_size=1))
def test_frames_come_whole_however_they_are_cut(frames: list[Frame], cuts: list[int]) -> None:
    wire = b"".join(frame.to_bytes() for frame in frames)
    parser, position = FrameParser(), 0
    found: list[Frame] = []
    for turn in range(len(wire)):
        if position < len(wire):
            length = cuts[turn % len(cuts)]
            found += parser.push(wire[position : position + length])
            position += length
    assert found == frames


@given(st.binary(max_size=2000))
def test_any_bytes_are_messages_or_refused(wire: bytes) -> None:
    for frame in FrameParser().push(wire):
        try:
            assert isinstance(decode(frame), Audio | Begin | Key | End)
        except ProtocolError as error:
            assert str(error)  # noqa: PT017 (which of both it is, is not known)


def test_every_message_of_a_call() -> None:
    name = uuid.uuid4()
    assert decode(Frame(Kind.UUID, name.bytes)) == Begin(str(name))
    assert decode(Frame(Kind.DTMF, b"7")) == Key("7")
    assert decode(Frame(Kind.TERMINATE)) == End()
    assert decode(Frame(Kind.ERROR, b"\x02")) == End(2)
    audio = decode(Frame(Kind.AUDIO, b"\x00\x40\x00\xc0"))
    assert isinstance(audio, Audio)
    assert list(audio.samples) == [0.5, -0.5]


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (Frame(Kind.AUDIO, b"\x00"), "even number"),
        (Frame(Kind.UUID, b"short"), "has 5 bytes, not 16"),
        (Frame(Kind.DTMF, b"12"), "has 2 bytes, not 1"),
        (Frame(Kind.DTMF, b"x"), "no key of a telephone"),
        (Frame(0x12, bytes(640)), "is not audio at 8 kHz. Let the channel's format be slin"),
        (Frame(0x77), "0x77 is unknown"),
    ],
)
def test_a_wrong_frame_is_refused_with_what_to_do(frame: Frame, words: str) -> None:
    with pytest.raises(ProtocolError, match=words):
        decode(frame)
