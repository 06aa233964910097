"""What the model is told of an answer that ended before its time, or did not."""

import pytest

from server.conversation.history import INTERRUPTED, History
from server.conversation.playback import Playback
from server.events import AnswerStarted, AnswerText, ItemAdded
from server.items import MessageItem
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


@pytest.mark.parametrize(("most", "step"), [(12, 3), (4, 1), (1, 1)])
def test_the_oldest_turns_are_left_out_a_quarter_at_a_time(most: int, step: int) -> None:
    history = History()
    shown, begins = [], []
    for turn in range(1, 4 * most + 1):
        history.record(ItemAdded(MessageItem(f"item_u{turn}", "user", f"Question {turn}.")))
        history.record(ItemAdded(MessageItem(f"item_a{turn}", "assistant", f"Answer {turn}.")))
        messages = history.messages(most)
        assert messages[-2].content == f"Question {turn}."
        assert [m.role for m in messages] == ["user", "assistant"] * (len(messages) // 2)
        shown.append(len(messages) // 2)
        begins.append(messages[0].content)
    assert max(shown) == most
    assert min(shown[most:]) == most - step + 1
    for begin in set(begins[most:-step]):
        assert begins.count(begin) == step


def test_no_turns_are_shown_where_none_are_to_be() -> None:
    history = History()
    history.record(ItemAdded(MessageItem("item_1", "user", "Question.")))
    assert history.messages(0) == []
