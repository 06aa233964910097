"""Whole conversations on scripted engines in virtual time."""

import pytest

from engines.batcher import Priority
from engines.errors import Overloaded
from engines.stt import SttRequest
from server.commands import (
    CreateItem,
)
from server.config import ConversationConfig
from server.events import (
    AnswerAudio,
    AnswerStarted,
    AudioCommitted,
    CallEnded,
    Failed,
    HandoverOffered,
    ItemAdded,
    PartialTranscript,
    ResponseFinished,
    ResponseStarted,
    SpeechStarted,
    SpeechStopped,
    Transcribed,
    TranscriptionFailed,
    TurnFinished,
)
from server.items import MessageItem
from server.language.languages import Phrase, phrase
from server.settings import Settings, TurnDetection
from tests.fakes import Stage
from tests.server.play import Play, Silence, Speech, Step, play, said
from tests.virtual import run_virtually, virtual_time

FIXED_SILENCE = ConversationConfig(adaptive_endpointing=False)
MAIN_EVENTS = (
    SpeechStarted,
    SpeechStopped,
    AudioCommitted,
    ItemAdded,
    Transcribed,
    ResponseStarted,
    AnswerStarted,
    ResponseFinished,
    TurnFinished,
)


@virtual_time
async def test_a_turn_goes_from_speech_to_speech_in_order() -> None:
    result = await play(Stage(), [Speech(1.0), Silence(5.0)])
    order = [type(event) for _, event in result.events if isinstance(event, MAIN_EVENTS)]
    assert order == list(MAIN_EVENTS)
    assert said(result) == "The capital of France is Paris."
    assert result.of(ResponseFinished)[0].status == "completed"
    assert result.of(Transcribed)[0].item_id == result.of(AudioCommitted)[0].item_id
    assert sum(event.seconds for event in result.of(AnswerAudio)) == pytest.approx(31 * 0.06, 0.01)


@virtual_time
async def test_the_answer_is_drafted_at_the_pause_and_ready_when_the_turn_is_confirmed() -> None:
    result = await play(Stage(), [Speech(1.0), Silence(3.0)], config=FIXED_SILENCE)
    assert result.times_of(AnswerAudio)[0] == result.times_of(SpeechStopped)[0]
    assert result.counters.drafts == {"hit": 1}
    milestones = result.of(TurnFinished)[0].record.milestones_ms
    assert milestones["transcript"] < milestones["turn_confirmed"]
    assert milestones["first_audio_sent"] == milestones["turn_confirmed"]
    assert 450 <= milestones["turn_confirmed"] <= 600


@virtual_time
async def test_a_caller_who_goes_on_after_a_pause_is_one_turn() -> None:
    stage = Stage(heard=lambda request: f"{len(request.samples) // 8000} words")
    result = await play(stage, [Speech(1.0), Silence(0.35), Speech(1.0), Silence(3.0)])
    assert result.counters.drafts == {"missed": 1, "hit": 1}
    assert result.counters.wasted_tokens > 0
    assert len(result.of(ResponseStarted)) == len(result.of(Transcribed)) == 1
    final = result.stage.stt.jobs[-1].request
    assert len(final.samples) / 16_000 > 2.3


@virtual_time
async def test_a_draft_survives_a_sound_that_adds_no_words() -> None:
    steps: list[Step] = [Speech(1.0), Silence(0.35), Speech(0.1), Silence(3.0)]
    result = await play(Stage(), steps, config=FIXED_SILENCE)
    assert result.counters.drafts == {"hit": 1}
    assert result.counters.wasted_tokens == 0
    assert len(result.stage.prompts) == 1
    assert result.times_of(AnswerAudio)[0] == result.times_of(SpeechStopped)[0]


@virtual_time
async def test_words_that_stay_the_same_are_told_while_the_caller_speaks() -> None:
    result = await play(Stage(), [Speech(3.0), Silence(1.0)])
    partial = "".join(event.delta for event in result.of(PartialTranscript))
    assert partial == "What is the capital of France?"
    assert result.times_of(PartialTranscript)[0] < result.times_of(SpeechStopped)[0]


@virtual_time
async def test_words_that_are_late_are_given_up_where_the_caller_pauses() -> None:
    ended: list[tuple[Priority, bool]] = []

    def look(result: Play) -> CreateItem:
        ended.extend((job.priority, job.ended) for job in result.stage.stt.jobs)
        return CreateItem(MessageItem("item_1", "system", "Be brief."), None)

    await play(Stage(stt_seconds=20.0), [Speech(1.2), Silence(0.4), look])
    assert ended == [(Priority.PARTIAL, True), (Priority.ANSWER, False)]


@virtual_time
async def test_speech_during_the_answer_stops_it_and_only_what_was_heard_is_remembered() -> None:
    stage = Stage(answer=("One two three four", " five six seven.", " Eight nine ten."))
    stage.token_seconds = 0.3
    result = await play(stage, [Speech(1.0), Silence(1.3), Speech(1.0), Silence(7.0)])
    interrupted = result.times_of(SpeechStarted)[1]
    first, second = (event.epoch for event in result.of(AnswerStarted))
    stale = [
        time
        for time, event in result.events
        if isinstance(event, AnswerAudio) and event.epoch == first and time > interrupted
    ]
    assert not stale
    assert second is not None
    finished = result.of(ResponseFinished)
    assert [(event.status, event.reason) for event in finished] == [
        ("cancelled", "turn_detected"),
        ("completed", None),
    ]
    heard = [m.content for m in stage.prompts[-1].messages if m.role == "assistant"]
    assert len(heard) == 1
    assert heard[0].startswith("One two")
    assert "Eight" not in heard[0]


@virtual_time
async def test_an_answer_that_still_plays_can_be_interrupted_after_it_was_generated() -> None:
    stage = Stage(answer=("One two three four five six seven eight nine ten eleven twelve.",))
    result = await play(stage, [Speech(1.0), Silence(2.0), Speech(1.0), Silence(6.0)])
    assert [event.status for event in result.of(ResponseFinished)] == ["cancelled", "completed"]
    heard = next(m.content for m in stage.prompts[-1].messages if m.role == "assistant")
    assert heard.startswith("One two")
    assert "twelve" not in heard


@virtual_time
async def test_the_next_question_is_asked_with_the_whole_conversation() -> None:
    stage = Stage()
    await play(stage, [Speech(1.0), Silence(4.0), Speech(1.0), Silence(4.0)])
    roles = [message.role for message in stage.prompts[-1].messages]
    assert roles == ["system", "user", "assistant", "user"]
    assert stage.prompts[-1].messages[2].content == "The capital of France is Paris."
    assert "English" in stage.prompts[-1].messages[0].content


@virtual_time
async def test_only_as_many_turns_as_configured_are_shown_to_the_model() -> None:
    stage = Stage()
    turns: list[Step] = [Speech(0.5), Silence(4.0)] * 4
    await play(stage, turns, config=ConversationConfig(history_turns=1))
    roles = [message.role for message in stage.prompts[-1].messages]
    assert roles == ["system", "user", "assistant", "user"]


@virtual_time
async def test_silence_and_short_noises_give_nothing() -> None:
    result = await play(Stage(), [Silence(3.0), Speech(0.06), Silence(2.0)])
    assert result.events == []
    assert not result.stage.stt.jobs


@virtual_time
async def test_speech_without_words_gets_no_answer() -> None:
    result = await play(Stage(heard=""), [Speech(1.0), Silence(2.0)])
    assert result.of(Transcribed)[0].text == ""
    assert not result.of(ResponseStarted)


@virtual_time
async def test_an_unclear_transcript_is_asked_for_again() -> None:
    result = await play(Stage(confidence=0.2), [Speech(1.0), Silence(3.0)])
    assert said(result) == phrase(Phrase.REPEAT, "en")
    assert not result.stage.prompts


@pytest.mark.parametrize(("guard", "asks"), [("loop", True), ("no_speech", False)])
def test_who_spoke_and_was_not_made_out_is_asked_again(guard: str, *, asks: bool) -> None:
    @virtual_time
    async def scenario() -> Play:
        stage = Stage(heard="", rejected_by=guard)
        return await play(stage, [Speech(1.0), Silence(3.0)])

    result = scenario()
    assert said(result) == (phrase(Phrase.REPEAT, "en") if asks else "")


@virtual_time
async def test_asking_again_has_an_end() -> None:
    turns: list[Step] = [Speech(1.0), Silence(8.0)]
    result = await play(Stage(confidence=0.2), turns * 3)
    assert said(result).count(phrase(Phrase.REPEAT, "en")) == 2
    assert said(result).endswith(phrase(Phrase.HANDOVER, "en"))
    assert len(result.of(HandoverOffered)) == 1


@virtual_time
async def test_who_is_silent_for_long_is_asked_and_then_the_call_ends() -> None:
    config = ConversationConfig(idle_seconds=10.0)
    result = await play(Stage(), [Speech(1.0), Silence(30.0)], config=config)
    assert said(result).endswith(phrase(Phrase.STILL_THERE, "en") + phrase(Phrase.GOODBYE, "en"))
    assert len(result.of(CallEnded)) == 1


@pytest.mark.parametrize("interrupts", [True, False])
@virtual_time
async def test_who_speaks_over_the_goodbye_is_not_hung_up_on(*, interrupts: bool) -> None:
    config = ConversationConfig(idle_seconds=5.0)
    ends_seconds = (await play(Stage(), [Silence(30.0)], config=config)).times_of(CallEnded)[0]
    settings = Settings(turn_detection=TurnDetection(interrupt_response=interrupts))
    steps: list[Step] = [Silence(ends_seconds - 0.45), Speech(0.3), Silence(4.0)]
    stage = Stage()

    def heard(request: SttRequest) -> str:
        stage.confidence = 0.95 if len(stage.stt.jobs) > 1 else 0.6  # clear at the second look
        return "I am here"

    stage.heard = heard
    result = await play(stage, steps, config=config, settings=settings)
    assert said(result).count(phrase(Phrase.GOODBYE, "en")) == 1
    assert not result.of(CallEnded)


@virtual_time
async def test_who_coughs_over_the_goodbye_is_hung_up_on() -> None:
    config = ConversationConfig(idle_seconds=5.0)
    ends_seconds = (await play(Stage(), [Silence(30.0)], config=config)).times_of(CallEnded)[0]
    steps: list[Step] = [Silence(ends_seconds - 0.45), Speech(0.3), Silence(4.0)]
    result = await play(Stage(heard="", confidence=0.2), steps, config=config)
    assert len(result.of(CallEnded)) == 1


@virtual_time
async def test_who_speaks_again_is_not_hung_up_on() -> None:
    config = ConversationConfig(idle_seconds=10.0)
    steps: list[Step] = [Silence(15.0), Speech(1.0), Silence(15.0)]
    result = await play(Stage(), steps, config=config)
    assert said(result).count(phrase(Phrase.STILL_THERE, "en")) == 2
    assert not result.of(CallEnded)


@virtual_time
async def test_a_monologue_is_cut_into_turns_and_memory_stays_bounded() -> None:
    config = ConversationConfig(maximum_utterance_seconds=5.0)
    result = await play(Stage(), [Speech(16.0), Silence(3.0)], config=config)
    assert len(result.of(AudioCommitted)) >= 3
    longest = max(len(job.request.samples) for job in result.stage.stt.jobs)
    assert longest <= 5.1 * 16_000


@pytest.mark.parametrize("engine", ["llm_error", "tts_error"])
def test_an_engine_that_fails_is_apologized_for_and_the_session_lives_on(engine: str) -> None:
    async def scenario() -> Play:
        stage = Stage()
        setattr(stage, engine, Overloaded("Full. Try again shortly."))
        return await play(stage, [Speech(1.0), Silence(6.0), Speech(1.0), Silence(6.0)])

    result = run_virtually(scenario())
    assert [event.status for event in result.of(ResponseFinished)] == ["failed", "failed"]
    assert result.of(Failed)[0].error.code == "overloaded"
    if engine == "llm_error":
        assert said(result).startswith(phrase(Phrase.FAILURE, "en")[:10])


@virtual_time
async def test_a_transcription_that_fails_is_told_and_apologized_for() -> None:
    stage = Stage(stt_error=Overloaded("Full."))
    result = await play(stage, [Speech(1.0), Silence(3.0)])
    assert result.of(TranscriptionFailed)[0].error.code == "overloaded"
    assert said(result).startswith("Sorry")


@virtual_time
async def test_a_defect_in_a_turn_does_not_end_the_call() -> None:
    stage = Stage(llm_error=ZeroDivisionError("a bug"))
    result = await play(stage, [Speech(1.0), Silence(2.0), Speech(1.0), Silence(2.0)])
    assert len(result.of(Failed)) == 3  # two answers, and what was read as the second turn began
    assert len(result.of(Transcribed)) == 2


@virtual_time
async def test_without_interrupt_response_the_answer_goes_on_and_the_words_are_noted() -> None:
    detection = TurnDetection(interrupt_response=False)
    stage = Stage(answer=("One two three four five six seven eight nine ten eleven twelve.",))
    steps: list[Step] = [Speech(1.0), Silence(1.2), Speech(0.5), Silence(4.0)]
    result = await play(stage, steps, settings=Settings(turn_detection=detection))
    assert len(result.of(ResponseStarted)) == 1
    assert len(result.of(Transcribed)) == 2
    assert said(result).endswith("twelve.")


@pytest.mark.parametrize(
    "settings",
    [Settings(type="transcription"), Settings(turn_detection=TurnDetection(create_response=False))],
    ids=["transcription", "answers on request"],
)
@virtual_time
async def test_who_decides_about_answers_alone_is_not_spoken_to_for_being_silent(
    settings: Settings,
) -> None:
    config = ConversationConfig(idle_seconds=5.0)
    result = await play(Stage(), [Speech(1.0), Silence(20.0)], config=config, settings=settings)
    assert len(result.of(Transcribed)) == 1
    assert not result.of(ResponseStarted)
    assert not result.of(CallEnded)
