"""The sound of a conversation's newest items."""

import numpy as np

from server.conversation.kept_audio import KeptAudio

SECOND = np.ones(16_000, np.int16)


def test_it_is_held_once_however_often_it_is_asked_for() -> None:
    audio = KeptAudio(10.0)
    for _ in range(3):
        audio.add("a", SECOND, 16_000)
    first, again = audio.get("a"), audio.get("a")
    assert first is not None
    assert again is not None
    assert first[0] is again[0]
    assert len(first[0]) == 3 * len(SECOND)


def test_what_comes_later_is_in_it() -> None:
    audio = KeptAudio(10.0)
    audio.add("a", SECOND, 16_000)
    audio.get("a")
    audio.add("a", SECOND, 16_000)
    told = audio.get("a")
    assert told is not None
    assert len(told[0]) == 2 * len(SECOND)
