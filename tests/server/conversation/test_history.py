"""What the model is told of an answer that ended before its time, or did not."""

import pytest

from server.conversation.history import INTERRUPTED, History
from server.conversation.playback import Playback
from server.events import AnswerStarted, AnswerText
from server.language.spoken import Spoken


@pytest.mark.parametrize(
    ("heard_seconds", "told"), [(9.0, "One two. Three."), (1.0, f"One two.{INTERRUPTED}")]
)
def test_an_answer_that_was_heard_to_its_last_word_was_not_cut(
    heard_seconds: float, told: str
) -> None:
    history, playback = History(), Playback()
    history.record(AnswerStarted("resp_1", "item_1", 1))
    for text in ("One two.", " Three. "):
        history.record(AnswerText(text, 1))
        playback.begin_piece(text, Spoken.as_written(text))
        playback.play(1.0, 0.0)
        playback.made(1.0)
    history.cut("item_1", playback.heard_text(heard_seconds), heard_seconds)
    (message,) = history.messages(1)
    assert message.content == told
