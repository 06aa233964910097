"""When a turn ends: sooner when its words read as complete, later when they do not."""

from collections.abc import Sequence
from typing import Any

import pytest

from engines.errors import EngineError
from engines.stt import SttRequest
from server.commands import CommitAudio
from server.config import ConversationConfig
from server.events import ResponseStarted, SpeechStopped, Transcribed, TurnFinished
from server.metrics import Milestone, TurnRecord
from server.settings import Settings, TurnDetection
from tests.fakes import FakeBatcher, Stage
from tests.server.play import Play, Silence, Speech, Step, play
from tests.virtual import virtual_time

COMPLETE = "What is the capital of France?"
INCOMPLETE = "And then I"
SPEECH_SECONDS = 1.0
SLACK_SECONDS = 0.08  # frames and windows


def record(result: Play) -> TurnRecord:
    """Of the only turn."""
    (event,) = result.of(TurnFinished)
    return event.record


def silence_seconds(result: Play) -> float:
    """From the caller's last word to the end of their turn."""
    (stopped,) = result.times_of(SpeechStopped)
    return stopped - SPEECH_SECONDS


@virtual_time
async def test_after_a_complete_question_the_turn_ends_soon() -> None:
    steps: list[Step] = [Speech(SPEECH_SECONDS), Silence(3.0)]
    result = await play(Stage(heard=COMPLETE), steps, config=ConversationConfig())
    assert 0.15 <= silence_seconds(result) <= 0.15 + SLACK_SECONDS
    assert result.counters.drafts == {"hit": 1}
    wire = record(result).to_wire()
    assert wire["completeness"] > 0.97
    assert wire["end_silence_ms"] == 150


@virtual_time
async def test_after_the_beginning_of_a_sentence_more_is_awaited() -> None:
    result = await play(Stage(heard=INCOMPLETE), [Speech(SPEECH_SECONDS), Silence(4.0)])
    assert 1.2 <= silence_seconds(result) <= 1.2 + SLACK_SECONDS
    assert record(result).completeness == 0.05
    assert record(result).end_silence_seconds == 1.2


@virtual_time
async def test_without_a_transcript_in_time_the_middle_holds() -> None:
    stage = Stage(heard=COMPLETE, stt_seconds=0.8)
    result = await play(stage, [Speech(SPEECH_SECONDS), Silence(4.0)])
    assert 0.5 <= silence_seconds(result) <= 0.5 + SLACK_SECONDS
    assert record(result).end_silence_seconds == 0.5
    assert record(result).completeness is None  # it is known now, and has decided nothing


@virtual_time
async def test_a_late_transcript_ends_the_turn_as_soon_as_it_is_there() -> None:
    stage = Stage(heard=COMPLETE, stt_seconds=0.3)
    result = await play(stage, [Speech(SPEECH_SECONDS), Silence(3.0)])
    assert 0.4 <= silence_seconds(result) <= 0.4 + SLACK_SECONDS


@virtual_time
async def test_a_model_of_the_owner_hears_that_the_voice_goes_on() -> None:
    stage = Stage(heard=COMPLETE)
    stage.turn_end = FakeBatcher("turn end", lambda request: [(0.03, 0.02)])
    result = await play(stage, [Speech(SPEECH_SECONDS), Silence(4.0)])
    assert 1.2 <= silence_seconds(result) <= 1.2 + SLACK_SECONDS


@virtual_time
async def test_a_model_of_the_owner_hears_that_the_voice_has_finished() -> None:
    stage = Stage(heard=COMPLETE, confidence=0.85)  # words that are not to be trusted
    stage.turn_end = FakeBatcher("turn end", lambda request: [(0.03, 0.99)])
    result = await play(stage, [Speech(SPEECH_SECONDS), Silence(4.0)])
    assert silence_seconds(result) <= 0.3 + SLACK_SECONDS


@virtual_time
async def test_a_model_of_the_owner_that_fails_is_done_without() -> None:
    stage = Stage(heard=COMPLETE)
    stage.turn_end = FakeBatcher("turn end", lambda request: [(0.0, EngineError("broken"))])
    result = await play(stage, [Speech(SPEECH_SECONDS), Silence(4.0)])
    assert silence_seconds(result) <= 0.3 + SLACK_SECONDS
    assert record(result).completeness == pytest.approx(0.99, abs=0.02)


def with_voice_model(stage: Stage, *outputs: tuple[float, Any]) -> FakeBatcher:
    """The owner's model: what it says of each utterance, and after how long."""
    script = iter(outputs)

    def say(request: Any) -> Sequence[tuple[float, Any]]:
        return [next(script)]

    stage.turn_end = FakeBatcher("turn end", say)
    return stage.turn_end


@virtual_time
async def test_a_model_of_the_voice_that_is_late_is_not_waited_for() -> None:
    stage = Stage(heard=COMPLETE)
    model = with_voice_model(stage, (5.0, 0.02))
    steps: list[Step] = [Speech(SPEECH_SECONDS), Silence(4.0)]
    result = await play(stage, steps, config=ConversationConfig())
    open_seconds = 0.096 + stage.stt_seconds + 0.1  # pause, words, and for so long nobody knows
    assert open_seconds <= silence_seconds(result) <= open_seconds + SLACK_SECONDS
    assert record(result).completeness == pytest.approx(0.99, abs=0.02)
    assert not model.open_jobs


@virtual_time
async def test_the_answer_waits_for_no_model_of_the_voice() -> None:
    steps: list[Step] = [Speech(SPEECH_SECONDS), Silence(4.0)]
    alone = await play(Stage(heard=COMPLETE), steps)
    stage = Stage(heard=COMPLETE)
    with_voice_model(stage, (0.14, 0.99))
    result = await play(stage, steps)
    made = (Milestone.TRANSCRIPT, Milestone.FIRST_TOKEN, Milestone.FIRST_CLAUSE)
    for milestone in made:
        expected = record(alone).milestones_ms[milestone]
        assert record(result).milestones_ms[milestone] == expected
    assert record(result).milestones_ms[Milestone.TRANSCRIPT] < 96 + 140


@virtual_time
async def test_a_model_of_the_voice_that_is_slow_still_holds_the_turn() -> None:
    stage = Stage(heard=COMPLETE)
    with_voice_model(stage, (0.14, 0.02))
    steps: list[Step] = [Speech(SPEECH_SECONDS), Silence(4.0)]
    result = await play(stage, steps, config=ConversationConfig())
    assert 1.2 <= silence_seconds(result) <= 1.2 + SLACK_SECONDS
    completeness = record(result).completeness
    assert completeness is not None
    assert completeness < 0.8


@virtual_time
async def test_a_judgement_after_the_end_of_the_turn_is_not_what_ended_it() -> None:
    stage = Stage(heard=COMPLETE, stt_seconds=0.35)
    model = with_voice_model(stage, (5.0, 0.02))
    result = await play(stage, [Speech(SPEECH_SECONDS), Silence(4.0)])
    assert 0.5 <= silence_seconds(result) <= 0.5 + SLACK_SECONDS
    assert record(result).completeness is None
    assert not model.open_jobs


@virtual_time
async def test_what_was_heard_before_the_caller_went_on_ends_nothing() -> None:
    stage = Stage(heard=COMPLETE)
    with_voice_model(stage, (0.14, 0.99), (0.03, 0.02))
    steps: list[Step] = [Speech(SPEECH_SECONDS), Silence(0.2), Speech(1.0), Silence(4.0)]
    result = await play(stage, steps, config=ConversationConfig())
    (stopped,) = result.times_of(SpeechStopped)
    assert 1.2 <= stopped - 2.2 <= 1.2 + SLACK_SECONDS
    assert record(result).end_silence_seconds == 1.2


@virtual_time
async def test_who_hangs_up_leaves_no_judgement_behind() -> None:
    stage = Stage(heard=COMPLETE)
    model = with_voice_model(stage, (60.0, 0.02))
    result = await play(stage, [Speech(SPEECH_SECONDS), Silence(0.2)])
    assert not result.of(SpeechStopped)
    assert len(model.jobs) == 1
    assert not model.open_jobs


@virtual_time
async def test_without_a_transcript_nobody_waits_for_the_voice() -> None:
    stage = Stage(stt_error=EngineError("broken"))
    model = with_voice_model(stage, (60.0, 0.02))
    result = await play(stage, [Speech(SPEECH_SECONDS), Silence(4.0)])
    assert len(result.of(TurnFinished)) == 1
    assert not model.open_jobs


@virtual_time
async def test_where_the_client_ends_the_turn_no_model_is_asked() -> None:
    stage = Stage(heard=COMPLETE)
    model = with_voice_model(stage)
    settings = Settings(turn_detection=None)
    result = await play(
        stage, [Speech(SPEECH_SECONDS), CommitAudio(), Silence(1.0)], settings=settings
    )
    assert [event.text for event in result.of(Transcribed)] == [COMPLETE]
    assert not model.jobs


def _growing(request: SttRequest) -> str:
    long = len(request.samples) / 16_000 > 1.9
    return f"And then I ask: {COMPLETE}" if long else INCOMPLETE


@virtual_time
async def test_a_caller_who_goes_on_with_an_incomplete_sentence_has_one_turn() -> None:
    steps: list[Step] = [Speech(SPEECH_SECONDS), Silence(0.7), Speech(1.0), Silence(4.0)]
    result = await play(Stage(heard=_growing), steps)
    assert len(result.of(SpeechStopped)) == len(result.of(ResponseStarted)) == 1
    assert [event.text for event in result.of(Transcribed)] == [f"And then I ask: {COMPLETE}"]
    assert result.times_of(SpeechStopped)[0] - 2.7 < 0.5


@virtual_time
async def test_a_noise_after_an_incomplete_sentence_leaves_it_incomplete() -> None:
    steps: list[Step] = [Speech(SPEECH_SECONDS), Silence(0.5), Speech(0.1), Silence(4.0)]
    result = await play(Stage(heard=INCOMPLETE), steps)
    (stopped,) = result.times_of(SpeechStopped)
    assert stopped - 1.6 > 1.1


@virtual_time
async def test_a_transcript_that_is_not_trusted_changes_nothing() -> None:
    stage = Stage(heard=INCOMPLETE, confidence=0.2)
    result = await play(stage, [Speech(SPEECH_SECONDS), Silence(4.0)])
    assert 0.5 <= silence_seconds(result) <= 0.5 + SLACK_SECONDS
    assert record(result).completeness is None


@virtual_time
async def test_the_owner_can_have_one_silence_for_all() -> None:
    config = ConversationConfig(adaptive_endpointing=False)
    steps: list[Step] = [Speech(SPEECH_SECONDS), Silence(4.0)]
    result = await play(Stage(heard=INCOMPLETE), steps, config=config)
    assert 0.5 <= silence_seconds(result) <= 0.5 + SLACK_SECONDS


@virtual_time
async def test_the_silence_that_a_client_asks_for_is_the_middle() -> None:
    settings = Settings(turn_detection=TurnDetection(silence_duration_ms=1000))
    steps: list[Step] = [Speech(SPEECH_SECONDS), Silence(4.0)]
    result = await play(Stage(heard=COMPLETE), steps, settings=settings)
    assert 0.6 <= silence_seconds(result) <= 0.6 + SLACK_SECONDS
