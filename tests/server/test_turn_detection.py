"""Turn detection as a client asks for it, in virtual time."""

import pytest

from engines.batcher import Priority
from server.commands import CreateResponse
from server.config import ConversationConfig
from server.events import (
    AnswerAudio,
    AnswerText,
    AudioCommitted,
    CallEnded,
    Failed,
    ItemAdded,
    ResponseFinished,
    ResponseStarted,
    SilenceTimedOut,
    SpeechStopped,
)
from server.items import MessageItem
from server.language.languages import Phrase, phrase
from server.settings import Eagerness, Settings, TurnDetection
from tests.fakes import Stage
from tests.server.play import Play, Silence, Speech, Step, play
from tests.virtual import run_virtually, virtual_time


@pytest.mark.parametrize(
    ("eagerness", "least", "most"), [("low", 3.0, 8.1), ("auto", 1.5, 4.1), ("high", 0.8, 2.1)]
)
def test_an_eager_client_waits_less_for_words_that_break_off(
    eagerness: Eagerness, least: float, most: float
) -> None:
    settings = Settings(turn_detection=TurnDetection("semantic_vad", eagerness=eagerness))
    stage = Stage(heard="I would like to go to the")
    fixed = ConversationConfig(adaptive_endpointing=False)  # the owner's; the client knows better
    steps: list[Step] = [Speech(1.0), Silence(9.0)]
    result = run_virtually(play(stage, steps, settings=settings, config=fixed))
    assert least < result.times_of(SpeechStopped)[0] - 1.0 < most


@virtual_time
async def test_an_eager_pause_is_no_longer_than_any() -> None:
    stage = Stage()
    config = ConversationConfig(adaptive_endpointing=False, pause_seconds=0.04)
    await play(stage, [Speech(0.96), Silence(2.0)], config=config)
    (final,) = (job.request for job in stage.stt.jobs if job.priority is Priority.ANSWER)
    assert len(final.samples) / 16_000 == pytest.approx(0.96 + 0.064, abs=0.01)  # two windows


@virtual_time
async def test_a_silent_caller_is_spoken_to_after_the_clients_idle_timeout() -> None:
    settings = Settings(turn_detection=TurnDetection(idle_timeout_ms=3000))
    result = await play(Stage(), [Speech(1.0), Silence(16.0)], settings=settings)
    first, second = result.of(SilenceTimedOut)[:2]
    assert first.end_ms - first.start_ms == 3000
    assert first.item_id in [event.item_id for event in result.of(AudioCommitted)]
    silences = [event.item for event in result.of(ItemAdded) if event.item.id == first.item_id]
    assert silences == [MessageItem(first.item_id, "user", "", spoken=True)]
    said = "".join(event.text for event in result.of(AnswerText))
    assert said.count(phrase(Phrase.STILL_THERE, "en")) >= 2
    assert phrase(Phrase.GOODBYE, "en") not in said
    assert not result.of(CallEnded)
    heard = max(time for time in result.times_of(AnswerAudio) if time < second.end_ms / 1000)
    assert second.end_ms / 1000 - heard == pytest.approx(3.0, abs=0.3)  # from its end on


def asked_at_the_end(result: Play) -> CreateResponse:
    """The client asks as soon as it is told of the answer's end, which is still heard."""
    assert len(result.of(ResponseFinished)) == 1
    assert result.session.state.value == "ai_speaking"
    return CreateResponse()


@virtual_time
async def test_an_answer_asked_for_while_the_last_is_heard_begins_after_it() -> None:
    config = ConversationConfig(playback_lead_seconds=2.0)
    steps: list[Step] = [Speech(1.0), Silence(1.2), asked_at_the_end, Silence(5.0)]
    result = await play(Stage(), steps, config=config)
    assert not result.of(Failed)
    first, second = result.times_of(ResponseStarted)
    assert second >= first + 31 * 0.06  # as long as it is heard
    assert [event.status for event in result.of(ResponseFinished)] == ["completed", "completed"]
