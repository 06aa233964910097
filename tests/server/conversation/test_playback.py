"""What was heard of an answer."""

import pytest

from server.conversation.playback import Playback


def playing(text: str, *, sent_seconds: float, made_seconds: float | None) -> Playback:
    playback = Playback()
    playback.begin_piece(text)
    playback.play(sent_seconds, now=0.0)
    if made_seconds is not None:
        playback.made(made_seconds)
    return playback


def test_words_count_as_heard_when_they_are_over() -> None:
    playback = playing("one two three four", sent_seconds=4.0, made_seconds=4.0)
    assert playback.heard_text(0.0) == ""
    assert playback.heard_text(1.9) == "one two"
    assert playback.heard_text(4.0) == "one two three four"


def test_what_is_not_sent_yet_counts_for_the_length_of_its_piece() -> None:
    playback = playing("one two three four", sent_seconds=1.0, made_seconds=4.0)
    assert playback.heard_text(1.0) == "one"


def test_the_length_of_a_piece_in_the_making_is_guessed_from_its_text() -> None:
    text = " ".join(["word"] * 40)  # some thirteen seconds
    playback = playing(text, sent_seconds=1.5, made_seconds=None)
    assert playback.heard_text(1.5).count("word") == pytest.approx(4, abs=1)


def test_pieces_follow_one_another() -> None:
    playback = playing("One two.", sent_seconds=1.0, made_seconds=1.0)
    playback.begin_piece(" Three four.")
    playback.play(0.5, now=1.0)
    playback.made(1.5)
    assert playback.heard_seconds(now=1.2) == pytest.approx(1.2)
    assert playback.heard_text(1.0) == "One two."
    assert playback.heard_text(2.0) == "One two. Three"


def test_a_pause_of_the_sender_is_not_heard_twice() -> None:
    playback = playing("One.", sent_seconds=1.0, made_seconds=2.0)
    playback.play(1.0, now=5.0)
    assert playback.ahead_seconds(now=5.5) == pytest.approx(0.5)
    assert playback.heard_seconds(now=5.5) == pytest.approx(1.5)


def test_a_voice_s_marks_say_which_words_are_over() -> None:
    playback = Playback()
    playback.begin_piece("one extraordinarily two")
    for characters, seconds in ((3, 0.2), (19, 2.0), (23, 2.3)):
        playback.mark(characters, seconds)
    playback.made(2.6)
    playback.begin_piece(" and more")
    playback.mark(4, 0.5)
    playback.play(3.0, now=0.0)
    assert playback.heard_text(0.19) == ""
    assert playback.heard_text(0.2) == playback.heard_text(1.9) == "one"
    assert playback.heard_text(2.0) == "one extraordinarily"
    assert playback.heard_text(2.3) == "one extraordinarily two"
    assert playback.heard_text(3.2) == "one extraordinarily two and"


def test_a_line_that_has_played_nothing_has_not_played_less() -> None:
    playback = Playback(is_reported=True)
    playback.begin_piece("One two three.")
    for seconds in (0.3, 0.2, 0.1):
        playback.play(seconds, now=0.0)
    playback.take_back(0.1 + 0.2 + 0.3)  # more than 0.3 + 0.2 + 0.1, by the last bit
    playback.play(1.0, now=1.0)
    assert playback.heard_seconds(now=2.0) == 0.0
