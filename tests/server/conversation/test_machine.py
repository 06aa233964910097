"""The table: complete where it must be, and the six states' rules as facts about it."""

from pathlib import Path

import pytest

from server.conversation.machine import (
    TABLE,
    Command,
    IllegalTransition,
    Machine,
    State,
    Trigger,
    diagram,
)

DESIGN = Path(__file__).parents[3] / "docs" / "design.md"
ANSWERING = (State.PROCESSING, State.AI_GENERATING, State.AI_SPEAKING)


def at(state: State) -> Machine:
    machine = Machine()
    machine.state = state
    return machine


def test_a_turn_from_silence_to_silence() -> None:
    machine = Machine()
    steps = [
        (
            Trigger.SPEECH_STARTED,
            State.LISTENING_ACTIVE,
            (Command.ANNOUNCE_SPEECH, Command.READ_AHEAD),
        ),
        (Trigger.SPEECH_PAUSED, State.LISTENING_ACTIVE, (Command.DRAFT,)),
        (Trigger.SPEECH_ENDED, State.PROCESSING, (Command.TAKE_SPEECH,)),
        (Trigger.ANSWER_STARTED, State.AI_GENERATING, ()),
        (Trigger.AUDIO_SENT, State.AI_SPEAKING, ()),
        (Trigger.ANSWER_OVER, State.LISTENING_IDLE, ()),
    ]
    for trigger, state, commands in steps:
        assert machine.fire(trigger) == commands
        assert machine.state is state


@pytest.mark.parametrize("state", ANSWERING)
def test_sound_over_an_answer_is_held_and_judged_before_anything_is_cancelled(
    state: State,
) -> None:
    machine = at(state)
    assert machine.fire(Trigger.SPEECH_STARTED) == (Command.HOLD, Command.JUDGE)
    assert machine.state is State.INTERRUPTED
    assert machine.fire(Trigger.NOISE) == (Command.RELEASE,)
    assert TABLE[State.INTERRUPTED, Trigger.NOISE][0] is State.AI_GENERATING


@pytest.mark.parametrize("state", [*ANSWERING, State.INTERRUPTED])
def test_words_take_the_floor_in_every_state_in_which_the_turn_is_the_servers(
    state: State,
) -> None:
    machine = at(state)
    assert machine.fire(Trigger.WORDS) == (
        Command.ANNOUNCE_SPEECH,
        Command.CANCEL_ANSWER,
        Command.READ_AHEAD,
    )
    assert machine.state is State.LISTENING_ACTIVE


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("trigger", list(Trigger))
def test_what_the_table_does_not_hold_raises_and_changes_nothing(
    state: State, trigger: Trigger
) -> None:
    machine = at(state)
    if (state, trigger) in TABLE:
        assert machine.fire(trigger) == TABLE[state, trigger][1]
        assert machine.state is TABLE[state, trigger][0]
        return
    with pytest.raises(IllegalTransition):
        machine.fire(trigger)
    assert machine.state is state


def test_every_state_can_be_reached_and_left() -> None:
    reached = {State.LISTENING_IDLE}
    while (
        more := {target for (state, _), (target, _) in TABLE.items() if state in reached} - reached
    ):
        reached |= more
    assert reached == set(State)
    for state in State:
        assert any(
            target is not state for (source, _), (target, _) in TABLE.items() if source is state
        )


def test_a_held_answer_is_always_released_or_cancelled() -> None:
    for (state, trigger), (target, commands) in TABLE.items():
        if state is State.INTERRUPTED and target is not State.INTERRUPTED:
            over = trigger is Trigger.ANSWER_OVER  # there is nothing left to hold
            assert over or {Command.RELEASE, Command.CANCEL_ANSWER} & set(commands), trigger


def test_the_diagram_in_the_docs_is_the_table() -> None:
    assert diagram() in DESIGN.read_text(encoding="utf-8"), (
        "docs/design.md does not show the table: run `python -m scripts.generate_docs`."
    )
