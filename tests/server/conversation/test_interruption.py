"""Sounds over an answer, in virtual time: what they do to it."""

import itertools
from collections.abc import Callable

import pytest

from engines.batcher import Priority
from engines.errors import Overloaded
from engines.stt import SttRequest
from server.config import InterruptionConfig
from server.events import (
    AnswerAudio,
    AnswerHeld,
    InterruptionJudged,
    ResponseFinished,
    SpeechStarted,
    Transcribed,
)
from tests.fakes import FakeJob
from tests.fakes import Stage as Engines
from tests.server.play import Play, Silence, Speech, Stall, Step, play
from tests.virtual import virtual_time

CONFIG = InterruptionConfig()
ANSWER = ("One two three four five six seven eight nine ten eleven twelve thirteen.",)


def hears(later: str, confidence: float = 0.95) -> Engines:
    """A first question of one second and a half, and what any shorter or later audio says."""
    asked: list[bool] = []

    def heard(request: SttRequest) -> str:
        question = not asked
        asked.append(True)
        return "What is the capital of France?" if question else later

    return Engines(heard=heard, answer=ANSWER, confidence=confidence)


async def interrupt(engines: Engines, sound_seconds: float) -> Play:
    """Ask, let the answer begin, make a sound over it, and listen to the end."""
    steps: list[Step] = [Speech(0.4), Silence(1.5), Speech(sound_seconds), Silence(8.0)]
    return await play(engines, steps)


def longest_gap_seconds(result: Play) -> float:
    times = result.times_of(AnswerAudio)
    return max(later - earlier for earlier, later in itertools.pairwise(times))


@pytest.mark.parametrize(("later", "name"), [("", "noise"), ("Mm-hmm.", "backchannel")])
def test_what_is_nothing_pauses_the_answer_and_it_goes_on(later: str, name: str) -> None:
    @virtual_time
    async def scenario() -> Play:
        return await interrupt(hears(later), 0.4)

    result = scenario()
    assert [event.status for event in result.of(ResponseFinished)] == ["completed"]
    assert [event.is_held for event in result.of(AnswerHeld)] == [True, False]
    assert len(result.of(SpeechStarted)) == len(result.of(Transcribed)) == 1
    assert result.of(InterruptionJudged)[0].record["verdict"] == name
    assert 0.3 < longest_gap_seconds(result) < 1.0
    spoken = sum(event.seconds for event in result.of(AnswerAudio))
    assert spoken == pytest.approx(len(ANSWER[0]) * 0.06, rel=0.01)


@virtual_time
async def test_the_answer_stops_within_a_tenth_of_a_second_of_sound() -> None:
    result = await interrupt(hears("No, wait a moment."), 2.0)
    sound_seconds = 0.4 + 1.5
    held = result.times_of(AnswerHeld)[0]
    assert held - sound_seconds <= 0.1
    before = [time for time in result.times_of(AnswerAudio) if time < held + 1.0]
    assert before[-1] <= held


@virtual_time
async def test_words_cancel_within_a_second_and_keep_their_beginning() -> None:
    result = await interrupt(hears("No, I mean Madrid."), 2.0)
    statuses = [(event.status, event.reason) for event in result.of(ResponseFinished)]
    assert statuses == [("cancelled", "turn_detected"), ("completed", None)]
    assert result.times_of(ResponseFinished)[0] - 1.9 <= 0.6
    taken = [job.request for job in result.stage.stt.jobs][-1]
    assert len(taken.samples) / 16_000 >= 2.0


@virtual_time
async def test_unclear_words_are_not_enough_early_nor_at_the_strict_check() -> None:
    result = await interrupt(hears("something else", confidence=0.45), 3.0)
    assert [event.status for event in result.of(ResponseFinished)] == ["completed"]
    stages = [stage["stage"] for stage in result.of(InterruptionJudged)[0].record["stages"]]
    assert "early" in stages
    assert "strict" in stages


@virtual_time
async def test_who_goes_on_over_the_answer_is_heard_at_the_strict_check() -> None:
    calls: list[int] = []

    def heard(request: SttRequest) -> str:
        calls.append(len(request.samples))
        if len(calls) == 1:
            return "What is the capital of France?"
        return "no listen to me" if len(request.samples) > 1.8 * 16_000 else ""

    result = await interrupt(Engines(heard=heard, answer=ANSWER), 3.0)
    assert next(event.status for event in result.of(ResponseFinished)) == "cancelled"
    assert [event.is_held for event in result.of(AnswerHeld)][:2] == [True, False]


@virtual_time
async def test_words_that_were_noise_in_their_middle_are_heard_at_their_end() -> None:
    calls: list[int] = []

    def heard(request: SttRequest) -> str:
        calls.append(len(request.samples))
        if len(calls) == 1:
            return "What is the capital of France?"
        return "where is the clinic" if len(request.samples) > 1.4 * 16_000 else ""

    result = await interrupt(Engines(heard=heard, answer=ANSWER), 1.3)
    assert [event.is_held for event in result.of(AnswerHeld)][:2] == [True, False]
    statuses = [event.status for event in result.of(ResponseFinished)]
    assert statuses == ["cancelled", "completed"]
    assert [event.text for event in result.of(Transcribed)][1] == "where is the clinic"


@virtual_time
async def test_an_unclear_no_and_what_follows_a_pause_are_one_interruption() -> None:
    calls: list[int] = []

    def heard(request: SttRequest) -> str:
        calls.append(len(request.samples))
        if len(calls) == 1:
            return "What is the capital of France?"
        return "No, tell me another." if len(request.samples) > 1.1 * 16_000 else "no"

    engines = Engines(heard=heard, answer=ANSWER, confidence=0.8)
    steps: list[Step] = [Speech(0.4), Silence(1.5), Speech(0.35), Silence(0.25), Speech(1.0)]
    result = await play(engines, [*steps, Silence(8.0)])
    assert [event.status for event in result.of(ResponseFinished)] == ["cancelled", "completed"]
    assert [event.is_held for event in result.of(AnswerHeld)][:3] == [True, False, True]
    stages = [stage["stage"] for stage in result.of(InterruptionJudged)[0].record["stages"]]
    assert "pause" in stages
    assert result.times_of(ResponseFinished)[0] - 1.9 <= 1.2  # and not a cooldown later


@virtual_time
async def test_an_okay_that_goes_on_after_a_pause_holds_the_answer_again() -> None:
    calls: list[int] = []

    def heard(request: SttRequest) -> str:
        calls.append(len(request.samples))
        if len(calls) == 1:
            return "What is the capital of France?"
        return "Okay, where is the clinic?" if len(request.samples) > 1.1 * 16_000 else "Okay."

    steps: list[Step] = [Speech(0.4), Silence(1.5), Speech(0.35), Silence(0.2), Speech(1.0)]
    engines = Engines(heard=heard, answer=ANSWER)
    result = await play(engines, [*steps, Silence(8.0)])
    assert [event.is_held for event in result.of(AnswerHeld)][:3] == [True, False, True]
    assert [event.status for event in result.of(ResponseFinished)] == ["cancelled", "completed"]
    assert result.times_of(ResponseFinished)[0] - 1.9 <= 1.1
    assert [event.text for event in result.of(Transcribed)][1] == "Okay, where is the clinic?"


@virtual_time
async def test_unclear_words_give_the_answer_back_as_soon_as_they_stop() -> None:
    result = await interrupt(hears("something else", confidence=0.45), 0.4)
    held_seconds, released_seconds = result.times_of(AnswerHeld)
    assert held_seconds < 1.9 + 0.4
    assert released_seconds - (1.9 + 0.4) <= CONFIG.pause_seconds + 0.1
    stages = [stage["stage"] for stage in result.of(InterruptionJudged)[0].record["stages"]]
    assert stages[-2:] == ["pause", "end"]
    assert result.of(InterruptionJudged)[0].record["verdict"] == "noise"
    assert [event.status for event in result.of(ResponseFinished)] == ["completed"]


@virtual_time
async def test_words_that_get_clear_at_their_end_take_the_floor_though_the_answer_goes_on() -> None:
    engines = hears("stop it")
    first: Callable[[SttRequest], str] = engines.heard  # type: ignore[assignment]

    def heard(request: SttRequest) -> str:
        is_question = not engines.stt.jobs
        engines.confidence = 0.95 if is_question or len(request.samples) > 1.1 * 16_000 else 0.5
        return first(request)

    engines.heard = heard
    result = await interrupt(engines, 0.4)
    assert [event.is_held for event in result.of(AnswerHeld)][:2] == [True, False]
    assert [event.status for event in result.of(ResponseFinished)] == ["cancelled", "completed"]
    stages = [stage["stage"] for stage in result.of(InterruptionJudged)[0].record["stages"]]
    assert stages[-1] == "end"


@virtual_time
async def test_sound_is_no_interruption_while_an_echo_cancellation_warms_up() -> None:
    immune = InterruptionConfig(immunity_seconds=1.5)
    steps: list[Step] = [Speech(0.4), Silence(0.9), Speech(0.6), Silence(8.0)]
    result = await play(hears("No, wait a moment."), steps, interruption=immune)
    assert not result.of(AnswerHeld)
    assert [event.status for event in result.of(ResponseFinished)] == ["completed"]
    heeded = await play(hears("No, wait a moment."), steps)
    assert heeded.of(ResponseFinished)[0].status == "cancelled"


@virtual_time
async def test_what_is_left_of_a_noise_does_not_hold_the_answer_again() -> None:
    steps: list[Step] = [Speech(0.4), Silence(1.5), Speech(0.2), Silence(0.8), Speech(0.2)]
    result = await play(hears(""), [*steps, Silence(8.0)], interruption=calm_for(2.0))
    assert [event.is_held for event in result.of(AnswerHeld)] == [True, False]
    again = await play(hears(""), [*steps, Silence(8.0)], interruption=calm_for(0.0))
    assert [event.is_held for event in again.of(AnswerHeld)] == [True, False] * 2


def calm_for(seconds: float) -> InterruptionConfig:
    return InterruptionConfig(cooldown_seconds=seconds, echo_likeness=2.0)  # fakes sound alike


@virtual_time
async def test_a_syllable_is_taken_for_one_of_the_language_that_the_caller_speaks() -> None:
    result = await interrupt(hears("No, I mean Madrid."), 3.0)
    languages = [job.request.language for job in result.stage.stt.jobs if _is_judgement(job)]
    assert languages[0] == "en"
    question = result.stage.stt.jobs[0].request
    assert question.language is None


def _is_judgement(job: FakeJob) -> bool:
    return job.priority is Priority.INTERRUPTION


@pytest.mark.parametrize("stt_seconds", [0.05, 4.0])
def test_a_client_that_stalls_in_the_midst_of_a_sound_does_not_hold_the_answer_for_ever(
    stt_seconds: float,
) -> None:
    engines = hears("something else")
    first: Callable[[SttRequest], str] = engines.heard  # type: ignore[assignment]

    def heard(request: SttRequest) -> str:
        text = first(request)
        if text == "something else":
            engines.confidence, engines.stt_seconds = 0.4, stt_seconds
        return text

    engines.heard = heard

    @virtual_time
    async def scenario() -> Play:
        return await play(engines, [Speech(0.4), Silence(1.5), Speech(0.7), Stall(30.0)])

    result = scenario()
    assert [event.is_held for event in result.of(AnswerHeld)][-1] is False
    assert [event.status for event in result.of(ResponseFinished)] == ["completed"]


@virtual_time
async def test_when_nobody_can_tell_what_it_is_the_caller_is_heard() -> None:
    engines = hears("")
    first: Callable[[SttRequest], str] = engines.heard  # type: ignore[assignment]

    def heard(request: SttRequest) -> str:
        if len(engines.stt.jobs) > 1:
            engines.stt_error = Overloaded("Full.")
        return first(request)

    engines.heard = heard
    result = await interrupt(engines, 2.0)
    assert result.of(ResponseFinished)[0].status == "cancelled"
