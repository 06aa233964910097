"""A line that reports what it has played: that is what was heard, and the rest is sent again."""

import asyncio

import numpy as np
import pytest

from server.commands import AudioPlayed, KeysPressed
from server.conversation.outbox import Outbox
from server.events import AnswerAudio, AnswerText, Event, Failed, ResponseFinished
from server.items import MessageItem
from server.settings import Settings
from tests.fakes import Stage
from tests.server.play import Play, Silence, Speech, Step, play
from tests.virtual import virtual_time

RATE_HZ = 8_000
REPORTING = Settings(reports_playback=True)


def audio(number: int, epoch: int) -> AnswerAudio:
    """100 ms that can be told from others."""
    return AnswerAudio(np.full(RATE_HZ // 10, number, dtype=np.int16), RATE_HZ, epoch)


def numbers(events: list[Event]) -> list[int]:
    return [int(event.pcm[0]) for event in events if isinstance(event, AnswerAudio)]


async def sent_within(outbox: Outbox, seconds: float) -> list[Event]:
    """What leaves in this time."""
    events: list[Event] = []

    async def collect() -> None:
        async for event in outbox:
            events.append(event)  # noqa: PERF401 (a comprehension keeps nothing when cancelled)

    task = asyncio.create_task(collect(), name="collect")
    await asyncio.sleep(seconds)
    task.cancel()
    await asyncio.wait([task])
    return events


def outbox_with_an_answer(*, reports_playback: bool = True) -> Outbox:
    outbox = Outbox(lambda _: None, lead_seconds=0.35, reports_playback=reports_playback)
    epoch = outbox.advance()
    outbox.put(AnswerText("One two three four.", epoch))
    for number in range(10):
        outbox.put(audio(number, epoch))
    return outbox


@virtual_time
async def test_what_was_sent_but_not_played_is_sent_again_after_a_hold() -> None:
    outbox = outbox_with_an_answer()
    assert numbers(await sent_within(outbox, 0.001)) == [0, 1, 2, 3]
    outbox.note_played(outbox.epoch)
    outbox.hold()
    assert await sent_within(outbox, 3.0) == []
    heard_seconds = outbox.playback.heard_seconds(asyncio.get_running_loop().time())
    assert heard_seconds == pytest.approx(0.1)
    outbox.release()
    assert numbers(await sent_within(outbox, 0.001)) == [1, 2, 3, 4], "no more ahead than before"
    assert numbers(await sent_within(outbox, 3.0)) == [5, 6, 7, 8, 9]
    assert round(outbox.playback.sent_seconds, 6) == 1.0


@virtual_time
async def test_a_report_on_its_way_is_made_up_for_by_the_clock() -> None:
    outbox = outbox_with_an_answer()
    first = numbers(await sent_within(outbox, 0.21))
    assert first == [0, 1, 2, 3, 4, 5]
    outbox.note_played(outbox.epoch)  # of 0.1 s, when 0.2 s have been played
    outbox.hold()
    outbox.release()
    assert numbers(await sent_within(outbox, 3.0)) == [2, 3, 4, 5, 6, 7, 8, 9]


@virtual_time
async def test_a_line_that_stalls_is_believed() -> None:
    outbox = outbox_with_an_answer()
    await sent_within(outbox, 0.7)
    outbox.note_played(outbox.epoch)
    outbox.hold()
    outbox.release()
    assert numbers(await sent_within(outbox, 3.0)) == list(range(1, 10))


@virtual_time
async def test_a_line_that_reports_nothing_gets_nothing_twice() -> None:
    outbox = outbox_with_an_answer(reports_playback=False)
    first = await sent_within(outbox, 0.001)
    outbox.hold()
    await sent_within(outbox, 1.0)
    outbox.release()
    assert numbers(first + await sent_within(outbox, 3.0)) == list(range(10))


@virtual_time
async def test_reports_of_an_older_answer_say_nothing_of_this_one() -> None:
    outbox = outbox_with_an_answer()
    await sent_within(outbox, 0.001)
    outbox.note_played(outbox.epoch - 1)
    assert outbox.playback.heard_seconds(0.0) == 0.0
    for _ in range(20):  # more than was sent
        outbox.note_played(outbox.epoch)
    assert round(outbox.playback.heard_seconds(0.0), 6) == 0.4


def played(pieces: int) -> list[Step]:
    def report(result: Play) -> AudioPlayed:
        return AudioPlayed(result.session.outbox.epoch)

    return [report] * pieces


@virtual_time
async def test_the_history_keeps_what_the_line_has_played() -> None:
    stage = Stage(answer=["One two three four five six seven eight nine ten eleven twelve."])
    steps = [Speech(1.0), Silence(1.5), *played(15), Speech(1.2), Silence(0.2)]
    result = await play(stage, steps, settings=REPORTING)
    assert result.of(ResponseFinished)[0].status == "cancelled"
    answers = [
        item.text
        for item in result.session.history.items.values()
        if isinstance(item, MessageItem) and item.role == "assistant"
    ]
    assert answers[0] == "One two"  # half a second of it, though more than 1 s was sent
    assert sum(event.seconds for event in result.of(AnswerAudio)) > 1.0


@virtual_time
async def test_keys_are_answered_like_words_and_interrupt() -> None:
    stage = Stage(answer=["One two three four five six seven eight nine ten."])
    steps: list[Step] = [Speech(1.0), Silence(1.5), KeysPressed("415"), Silence(6.0)]
    result = await play(stage, steps)
    assert [event.status for event in result.of(ResponseFinished)] == ["cancelled", "completed"]
    assert stage.prompts[-1].messages[-1].content == "415"
    assert not result.of(Failed)
