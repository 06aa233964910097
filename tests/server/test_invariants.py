"""Whatever the caller, the client and the engines do, in whatever order: DESIGN's invariants hold.

Ten thousand random conversations in virtual time. Engines are quick or slow, hear words, noise,
backchannels or nothing, and fail now and then; the client speaks, is silent, and sends any command
at any moment; then the line stays silent, and everything must come to rest.
"""

import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engines.errors import Overloaded
from engines.llm import ToolCall
from engines.stt import SttRequest
from server.commands import (
    AudioPlayed,
    CancelResponse,
    ClearAudio,
    CommitAudio,
    CreateItem,
    CreateResponse,
    DeleteItem,
    KeysPressed,
    Named,
    RetrieveItem,
    TruncateItem,
    UpdateSettings,
)
from server.conversation.machine import State
from server.events import (
    AnswerAudio,
    AnswerStarted,
    AnswerText,
    Failed,
    ResponseFinished,
    ResponseStarted,
)
from server.items import ROOT, FunctionOutputItem, ItemReference, MessageItem, RecordedItem
from server.protocol.realtime_events import Encoder
from server.settings import AudioFormat, Settings, TurnDetection
from tests.fakes import Stage
from tests.server.play import Play, Rest, Silence, Speech, Step, play
from tests.virtual import run_virtually

RATE = AudioFormat(rate_hz=16_000)  # no resampling: more conversations in the same time
FRAME_SECONDS = 0.192  # six windows: fewer turns of the loop
SETTLE_SECONDS = 30.0  # two answers, one that was asked for after one of a turn, and a late verdict
HANDS_FREE = Settings(input_format=RATE)
PUSH_TO_TALK = Settings(input_format=RATE, turn_detection=None)
UNINTERRUPTED = Settings(input_format=RATE, turn_detection=TurnDetection(interrupt_response=False))
LISTEN_ONLY = Settings(input_format=RATE, turn_detection=TurnDetection(create_response=False))
TEXT = Settings(input_format=RATE, output_modality="text")
HEARD = ("What is the capital of France?", "no wait a moment", "mm-hmm", "", "okay")
IDLE = Settings(input_format=RATE, turn_detection=TurnDetection(idle_timeout_ms=5000))
EAGER = Settings(input_format=RATE, turn_detection=TurnDetection("semantic_vad", eagerness="high"))
PHONE = Settings(input_format=RATE, reports_playback=True)
MODES = (HANDS_FREE, PUSH_TO_TALK, UNINTERRUPTED, LISTEN_ONLY, TEXT)  # that calls begin with


def truncate_last(result: Play) -> TruncateItem:
    """The client has heard 300 ms of the newest answer, if there is one."""
    started = result.of(AnswerStarted)
    return TruncateItem(started[-1].item_id if started else "item_nobody", 300)


def report_played(result: Play) -> AudioPlayed:
    """A line that reports says that one more piece of the current answer was played."""
    return AudioPlayed(result.session.outbox.epoch)


def delete_last(result: Play) -> DeleteItem:
    """The client removes the newest answer, if there is one, even while it is spoken."""
    started = result.of(AnswerStarted)
    return DeleteItem(started[-1].item_id if started else "item_nobody")


STEPS = st.one_of(
    st.floats(0.1, 1.5).map(Speech),
    st.floats(0.1, 2.5).map(Silence),
    st.sampled_from(
        [
            CommitAudio(),
            ClearAudio(),
            CreateResponse(),
            CancelResponse(),
            CancelResponse("resp_nobody"),
            CreateItem(MessageItem("item_x", "user", "Hello")),
            CreateItem(FunctionOutputItem("item_y", "call_1", "done")),
            CreateItem(MessageItem("item_z", "assistant", "Hello"), "item_x"),
            CreateItem(RecordedItem("item_r", "", np.zeros(800, dtype=np.float32), 16_000), ROOT),
            RetrieveItem("item_x"),
            DeleteItem("item_x"),
            delete_last,
            CreateResponse(Settings(output_modality="text")),
            CreateResponse(context=(MessageItem("item_c", "user", "Hi"), ItemReference("item_x"))),
            CreateResponse(context=(), is_beside=True),
            CreateResponse(is_beside=True),
            Named(CancelResponse(), "event_1"),
            truncate_last,
            report_played,
            KeysPressed("415"),
            *(UpdateSettings(mode) for mode in (*MODES, IDLE, EAGER)),
        ]
    ),
)


class Moods:
    """Engines whose every answer is drawn from a seed."""

    def __init__(self, seed: int, speed: float) -> None:
        self._random = random.Random(seed)
        self.stage = Stage(
            heard=self._hear,
            answer=("One two three,", " four five six seven.", " Eight."),
            stt_seconds=0.4 * speed,
            token_seconds=0.3 * speed,
            tts_seconds=0.2 * speed,
        )

    def _hear(self, request: SttRequest) -> str:
        """Every transcription changes the mood of all engines."""
        stage, draw = self.stage, self._random.random
        stage.confidence = 0.95 if draw() < 0.7 else 0.5 if draw() < 0.7 else 0.2
        stage.rejected_by = "loop" if draw() < 0.05 else None
        stage.stt_error = Overloaded("Full.") if draw() < 0.05 else None
        stage.llm_error = Overloaded("Full.") if draw() < 0.05 else None
        stage.tts_error = Overloaded("Full.") if draw() < 0.05 else None
        stage.tool_call = ToolCall("call_1", "book", "{}") if draw() < 0.1 else None
        return self._random.choice(HEARD)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("mode", MODES, ids=("hands", "push", "whole", "listen", "text"))
@pytest.mark.parametrize("speed", [0.1, 1.0], ids=("quick", "slow"))
@settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(STEPS, max_size=10), seed=st.integers(0, 2**32))
def test_the_invariants_hold(
    mode: Settings, speed: float, steps: Sequence[Step], seed: int
) -> None:
    assert_invariants_hold(mode, speed, steps, seed)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(STEPS, max_size=10), seed=st.integers(0, 2**32))
def test_the_invariants_hold_on_a_line_that_reports(steps: Sequence[Step], seed: int) -> None:
    assert_invariants_hold(PHONE, 1.0, steps, seed)


def assert_invariants_hold(mode: Settings, speed: float, steps: Sequence[Step], seed: int) -> None:
    moods = Moods(seed, speed)
    whole = [*steps, UpdateSettings(HANDS_FREE), Rest(SETTLE_SECONDS)]
    result = run_virtually(play(moods.stage, whole, settings=mode, frame_seconds=FRAME_SECONDS))
    assert not moods.stage.open_jobs, "an engine job outlived the session"
    _assert_no_defect_showed(result)
    _assert_responses_are_whole(result)
    if not mode.reports_playback:  # what such a line had not played leaves again after the end
        _assert_it_can_be_told(result, mode)
    _assert_nothing_stale(result)
    _assert_history_is_what_was_sent(result)
    assert result.session.state is State.LISTENING_IDLE, "the conversation did not come to rest"


@pytest.mark.parametrize("hang_up_after", range(1, 60, 4))
def test_hanging_up_at_any_moment_frees_everything(hang_up_after: int) -> None:
    stage = Stage(answer=("One two three,", " four five six seven."), token_seconds=0.2)
    steps: list[Speech | Silence] = [Speech(0.8), Silence(1.2), Speech(0.9), Silence(3.0)]
    cut: list[Step] = []
    rest = hang_up_after * 0.1
    for step in steps:
        seconds = min(step.seconds, rest)
        rest -= seconds
        cut.append(type(step)(seconds))
    result = run_virtually(play(stage, cut))
    assert not stage.open_jobs
    _assert_no_defect_showed(result)
    _assert_nothing_stale(result)


def _assert_no_defect_showed(result: Play) -> None:
    codes = [event.error.code for event in result.of(Failed)]
    assert "internal_error" not in codes


def _assert_responses_are_whole(result: Play) -> None:
    """One at a time, and every one that was begun has exactly one end."""
    running: str | None = None
    for _, event in result.events:
        if isinstance(event, ResponseStarted):
            assert running is None
            running = event.response_id
        elif isinstance(event, ResponseFinished):
            assert running == event.response_id
            running = None
    assert running is None


def _assert_it_can_be_told(result: Play, mode: Settings) -> None:
    """The Realtime protocol has words for every event, in the order in which they come."""
    encoder = Encoder("sess_test", mode)
    begun: set[str] = set()
    for _, event in result.events:
        for wire in encoder.encode(event):
            if isinstance(wire, dict) and wire["type"] == "response.created":
                begun.add(wire["response"]["id"])
            elif isinstance(wire, dict) and wire["type"] == "response.done":
                begun.remove(wire["response"]["id"])
    assert not begun, "a response was begun and never ended"


def _assert_nothing_stale(result: Play) -> None:
    newest = 0
    for _, event in result.events:
        if isinstance(event, AnswerAudio | AnswerText | AnswerStarted) and event.epoch is not None:
            assert event.epoch >= newest
            newest = event.epoch


def _assert_history_is_what_was_sent(result: Play) -> None:
    """An assistant's message is a beginning of the words that were sent for it, and no more."""
    sent: dict[str, str] = {}
    item_id = ""
    for _, event in result.events:
        if isinstance(event, AnswerStarted):
            item_id = event.item_id
            sent[item_id] = ""
        elif isinstance(event, AnswerText):
            sent[item_id] += event.text
    assert "item_c" not in result.session.history.items
    for item in result.session.history.items.values():
        if isinstance(item, MessageItem) and item.id in sent:
            assert sent[item.id].startswith(item.text or "")
