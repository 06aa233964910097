"""Where speech starts, pauses and ends, in windows of audio."""

import pytest

from server.conversation.endpointing import (
    WINDOW_SECONDS,
    Boundary,
    Endpointer,
    EndpointingConfig,
)
from server.conversation.listening import ListeningConfig, with_overrides


def run(endpointer: Endpointer, probability: float, seconds: float) -> list[Boundary]:
    """The boundaries of so much audio of one speech probability."""
    windows = round(seconds / WINDOW_SECONDS)
    boundaries = [endpointer.process(probability) for _ in range(windows)]
    return [boundary for boundary in boundaries if boundary is not None]


def silence_until_the_end(endpointer: Endpointer) -> float:
    """Seconds of silence until the turn ends."""
    while endpointer.process(0.0) is not Boundary.ENDED:
        assert endpointer.silence_seconds < 10
    return endpointer.silence_seconds


def paused(config: EndpointingConfig | None = None) -> Endpointer:
    """A caller who has spoken for a second and pauses."""
    endpointer = Endpointer(config or EndpointingConfig())
    assert run(endpointer, 1.0, 1.0) == [Boundary.STARTED]
    assert run(endpointer, 0.0, 0.24) == [Boundary.PAUSED]
    return endpointer


@pytest.mark.parametrize(
    ("completeness", "seconds"),
    [(None, 0.5), (0.9, 0.29), (0.85, 0.745), (0.8, 1.2), (0.5, 1.2), (0.0, 1.2)],
)
def test_the_more_complete_the_words_the_shorter_the_silence(
    completeness: float | None, seconds: float
) -> None:
    endpointer = paused()
    endpointer.expect_end(completeness)
    assert endpointer.required_silence_seconds == pytest.approx(seconds)
    assert seconds <= silence_until_the_end(endpointer) < seconds + WINDOW_SECONDS


def test_words_that_are_complete_beyond_doubt_take_the_shortest_silence() -> None:
    config = EndpointingConfig()
    assert config.silence_after(0.97) == config.silence_after(1.0) == 0.15
    assert 0.15 < config.silence_after(0.96) < config.silence_after(0.9) == pytest.approx(0.29)


def test_who_is_eager_takes_less_silence_for_a_pause_and_no_less_for_the_end() -> None:
    endpointer = Endpointer(EndpointingConfig())
    run(endpointer, 1.0, 1.0)
    found = [endpointer.process(0.0, eager=True) for _ in range(3)]
    assert found == [None, None, Boundary.PAUSED]
    endpointer.expect_end(1.0)
    assert 0.15 <= silence_until_the_end(endpointer) < 0.15 + WINDOW_SECONDS


def test_an_eager_pause_that_has_been_waited_for_is_one_at_once() -> None:
    endpointer = Endpointer(EndpointingConfig())
    run(endpointer, 1.0, 1.0)
    assert run(endpointer, 0.0, 0.128) == []
    assert endpointer.process(0.0, eager=True) is Boundary.PAUSED
    assert endpointer.process(0.0) is None


def test_what_is_known_late_ends_the_turn_with_the_next_window() -> None:
    endpointer = paused()
    run(endpointer, 0.0, 0.2)
    endpointer.expect_end(1.0)
    assert endpointer.process(0.0) is Boundary.ENDED


def test_what_is_known_too_late_changes_nothing() -> None:
    endpointer = paused()
    silence_until_the_end(endpointer)
    endpointer.expect_end(0.0)
    assert endpointer.required_silence_seconds == 0.5
    assert not endpointer.speaking


def test_what_is_known_holds_for_one_pause() -> None:
    endpointer = paused()
    endpointer.expect_end(0.0)
    assert run(endpointer, 1.0, 0.3) == [Boundary.RESUMED]
    endpointer.expect_end(0.0)  # of words before the caller went on
    assert silence_until_the_end(endpointer) < 0.55


def test_what_is_known_holds_for_one_turn() -> None:
    endpointer = paused()
    endpointer.expect_end(0.0)
    assert silence_until_the_end(endpointer) > 1.1
    assert endpointer.required_silence_seconds == 1.2  # until the next turn begins
    run(endpointer, 1.0, 0.5)
    assert silence_until_the_end(endpointer) < 0.55


def test_the_silence_that_a_client_asks_for_is_the_middle() -> None:
    config = with_overrides(
        ListeningConfig(EndpointingConfig()),
        speech_threshold=0.5,
        prefix_padding_seconds=0.3,
        end_silence_seconds=1.0,
    ).endpointing
    assert config.silence_after(None) == 1.0
    assert config.silence_after(1.0) == pytest.approx(0.3)
    assert config.silence_after(0.0) == pytest.approx(2.4)
