"""The judge of the scenarios, on calls that are made up: what it says of each is known."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from evaluation.caller import RATE_HZ, Received
from evaluation.recording import Playback
from evaluation.scenarios.figures import Finding
from evaluation.scenarios.judge import judge
from evaluation.scenarios.take import Act, ActKind, Take

Found = dict[str, list[float]]


class Tape:
    """Writes a call down: an event after the other, with the audio that is heard."""

    def __init__(self) -> None:
        self.events: list[Received] = []
        self.playback = Playback(RATE_HZ)

    def event(self, at_seconds: float, type_: str, **body: Any) -> None:
        self.events.append(Received(at_seconds, type_, {"type": type_, **body}))

    def answer(self, id_: str, start_seconds: float, seconds: float, text: str = "Yes.") -> None:
        """An answer that is heard from `start_seconds` on, not yet its end."""
        self.event(start_seconds, "response.created", response={"id": id_})
        self.event(
            start_seconds, "response.output_audio_transcript.delta", response_id=id_, delta=text
        )
        loud = np.full(round(0.04 * RATE_HZ), 9000, dtype=np.int16)
        for index in range(round(seconds / 0.04)):
            at_seconds = start_seconds + 0.04 * index
            self.event(at_seconds, "response.output_audio.delta", response_id=id_)
            self.playback.receive(loud, at_seconds)

    def done(self, id_: str, at_seconds: float, status: str = "completed") -> None:
        self.event(at_seconds, "response.done", response={"id": id_, "status": status})

    def pause(self, at_seconds: float) -> None:
        self.event(at_seconds, "tinig.playback", action="pause")
        self.playback.pause(at_seconds)

    def resume(self, at_seconds: float) -> None:
        self.event(at_seconds, "tinig.playback", action="resume")
        self.playback.resume(at_seconds)

    def commit(self, at_seconds: float) -> None:
        self.event(at_seconds, "input_audio_buffer.speech_started")
        self.playback.interrupt(at_seconds)

    def take(self, *acts: Act, **fields: Any) -> Take:
        return Take("made up", "en", 0, acts, self.events, self.playback, **fields)


def found(take: Take) -> Found:
    by_figure: Found = defaultdict(list)
    for finding in judge(take):
        by_figure[finding.figure].append(finding.value)
    return by_figure


def notes(findings: Sequence[Finding]) -> list[str]:
    return [finding.note for finding in findings if finding.figure == "defects"]


INTERRUPTION = Act(ActKind.INTERRUPTION, "early", 2.0, 3.0, "Where is the clinic?")
COUGH = Act(ActKind.SOUND, "cough", 2.0, 2.5)


def test_a_turn_is_answered_with_its_latency_and_judged_by_the_word_it_expects() -> None:
    tape = Tape()
    tape.answer("r1", 1.5, 1.0, "The capital of Japan is Tokyo.")
    tape.done("r1", 2.4)
    asked = Act(ActKind.TURN, "", 0.2, 1.2, "What is the capital of Japan?", "tokyo tokio")
    of = found(tape.take(asked))
    assert of["response_rate"] == [1.0]
    assert of["response_latency_ms"] == pytest.approx([300.0])
    assert of["right_answer_rate"] == [1.0]
    assert of["stutter_rate"] == [0.0]
    assert "defects" not in of


def test_a_turn_that_nobody_answers_is_told() -> None:
    of = found(Tape().take(Act(ActKind.TURN, "", 0.2, 1.2, "Hello!")))
    assert of["response_rate"] == [0.0]
    assert "response_latency_ms" not in of


def test_an_answer_to_the_next_turn_is_none_to_the_one_before() -> None:
    tape = Tape()
    tape.answer("r1", 3.5, 0.4)
    tape.done("r1", 3.9)
    first, second = Act(ActKind.TURN, "", 0.2, 1.0), Act(ActKind.TURN, "", 2.0, 3.0)
    assert found(tape.take(first, second))["response_rate"] == [0.0, 1.0]


def test_an_interruption_is_timed_from_its_first_sample_to_the_pause_and_the_commit() -> None:
    tape = Tape()
    tape.answer("r1", 1.0, 1.2)
    tape.pause(2.15)
    tape.commit(2.6)
    tape.done("r1", 2.6, "cancelled")
    tape.answer("r2", 3.5, 0.4)
    tape.done("r2", 3.9)
    of = found(tape.take(INTERRUPTION))
    assert of["missed_interruption_rate"] == [0.0]
    assert of["pause_ms"] == pytest.approx([150.0])
    assert of["commit_ms"] == pytest.approx([600.0])
    assert of["response_latency_ms"] == pytest.approx([500.0])
    assert of["stutter_rate"] == [0.0, 0.0]
    assert "defects" not in of


def test_an_interruption_that_does_not_get_the_turn_is_missed() -> None:
    tape = Tape()
    tape.answer("r1", 1.0, 1.2)
    tape.pause(2.15)
    tape.resume(3.0)
    tape.done("r1", 4.5)
    of = found(tape.take(INTERRUPTION))
    assert of["missed_interruption_rate"] == [1.0]
    assert "commit_ms" not in of


def test_over_the_last_word_the_end_of_the_answer_is_no_pause() -> None:
    tape = Tape()
    tape.answer("r1", 1.0, 1.2)
    tape.done("r1", 2.1)
    tape.commit(2.3)
    of = found(tape.take(INTERRUPTION))
    assert of["missed_interruption_rate"] == [0.0]
    assert of["commit_ms"] == pytest.approx([300.0])
    assert "pause_ms" not in of


@pytest.mark.parametrize("act", [INTERRUPTION, COUGH])
def test_what_comes_after_the_answer_tests_nothing(act: Act) -> None:
    tape = Tape()
    tape.answer("r1", 0.5, 1.0)
    tape.done("r1", 1.4)
    of = found(tape.take(act))
    assert of["not_tested"] == [1.0]
    assert not of.keys() & {"missed_interruption_rate", "false_interruption_rate"}


def test_a_sound_that_only_holds_the_answer_is_no_interruption() -> None:
    tape = Tape()
    tape.answer("r1", 1.0, 1.2)
    tape.pause(2.15)
    tape.resume(2.7)
    tape.done("r1", 4.0)
    of = found(tape.take(COUGH))
    assert of["false_interruption_rate"] == [0.0]
    assert of["held_ms"] == pytest.approx([550.0])
    assert "defects" not in of


@pytest.mark.parametrize("status", ["cancelled", "failed"])
def test_a_sound_that_ends_the_answer_is_a_false_interruption(status: str) -> None:
    tape = Tape()
    tape.answer("r1", 1.0, 1.2)
    tape.done("r1", 2.6, status)
    assert found(tape.take(COUGH))["false_interruption_rate"] == [1.0]


def test_a_sound_that_takes_the_turn_a_little_later_is_a_false_interruption() -> None:
    tape = Tape()
    tape.answer("r1", 1.0, 1.2)
    tape.done("r1", 2.1)
    tape.commit(3.4)
    assert found(tape.take(COUGH))["false_interruption_rate"] == [1.0]


@pytest.mark.parametrize(("stopped_seconds", "cut_in"), [(1.7, 1.0), (3.2, 0.0)])
def test_a_pause_is_cut_in_on_when_the_turn_ends_in_it(
    stopped_seconds: float, cut_in: float
) -> None:
    tape = Tape()
    tape.event(stopped_seconds, "input_audio_buffer.speech_stopped")
    pause = Act(ActKind.PAUSE, "700 ms", 1.0, 2.7, "I would like to see the dentist")
    assert found(tape.take(pause))["cut_in_rate"] == [cut_in]


def test_a_sentence_without_a_pause_is_not_cut_in_on_either() -> None:
    tape = Tape()
    tape.event(1.0, "input_audio_buffer.speech_stopped")
    asked = Act(ActKind.TURN, "", 0.5, 1.5, "Which doctors do you have?")
    assert found(tape.take(asked))["agent_interruption_rate"] == [1.0]
    pause = Act(ActKind.PAUSE, "400 ms", 0.9, 1.5)
    of = found(tape.take(pause, asked))
    assert of["cut_in_rate"] == [1.0]
    assert "agent_interruption_rate" not in of


def test_an_answer_that_is_heard_in_a_pause_cuts_in() -> None:
    tape = Tape()
    tape.answer("r1", 1.5, 0.4)
    tape.done("r1", 1.9)
    assert found(tape.take(Act(ActKind.PAUSE, "", 1.0, 2.7)))["cut_in_rate"] == [1.0]


def test_the_records_of_the_server_give_drafts_and_added_latency() -> None:
    tape = Tape()
    times = {"turn_confirmed": 400.0, "first_audio_sent": 412.5}
    spoken = {"item_id": "i", "draft": "hit", "milestones_ms": times}
    tape.event(2.0, "tinig.turn", turn=spoken)
    tape.event(3.0, "tinig.turn", turn={**spoken, "draft": "", "milestones_ms": {}})
    tape.event(4.0, "tinig.turn", turn={**spoken, "item_id": ""})  # the server spoke first
    of = found(tape.take())
    assert of["draft_hit_rate"] == [1.0, 0.0]
    assert of["added_latency_ms"] == [12.5]


def test_a_gap_that_nobody_asked_for_is_a_stutter() -> None:
    tape = Tape()
    tape.answer("r1", 1.0, 0.4)
    tape.playback.receive(np.full(RATE_HZ, 9000, dtype=np.int16), 2.0)
    tape.done("r1", 2.9)
    assert found(tape.take())["stutter_rate"] == [1.0]


def test_audio_of_an_answer_that_is_over_or_held_is_a_defect() -> None:
    tape = Tape()
    tape.answer("r1", 1.0, 0.4)
    tape.pause(1.4)
    tape.event(1.43, "response.output_audio.delta", response_id="r1")  # was on its way
    tape.event(1.6, "response.output_audio.delta", response_id="r1")
    tape.resume(1.8)
    tape.done("r1", 2.0, "cancelled")
    tape.event(2.1, "response.output_audio.delta", response_id="r1")
    held, over = notes(judge(tape.take()))
    assert "1.60 s of an answer held at 1.40 s" in held
    assert "2.10 s of an answer that was over" in over


def test_an_answer_without_an_end_is_a_defect_unless_the_caller_left() -> None:
    tape = Tape()
    tape.answer("r1", 1.0, 0.4)
    tape.pause(1.2)
    assert len(notes(judge(tape.take()))) == 2
    assert notes(judge(tape.take(hung_up=True))) == []


def test_errors_failures_and_turns_made_of_silence_are_defects() -> None:
    tape = Tape()
    tape.commit(3.0)
    tape.event(4.0, "error", error={"message": "The LLM has died."})
    silence = Act(ActKind.SILENCE, "", 0.0, 30.0)
    told = notes(judge(tape.take(silence, failure="the line is dead")))
    assert told == [
        "a turn was made of silence",
        "the server reported: The LLM has died.",
        "the line is dead",
    ]
