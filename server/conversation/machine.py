"""Whose turn it is: six states, one table, nothing else.

The table says for a state and a trigger which state comes next and what is to be done, in order.
The floor watches the caller, the outbox and the client, fires triggers, and executes commands; it
decides nothing. A pair that the table does not hold raises, and leaves the state as it was.

Triggers come from three sides:

- the caller's audio: speech starts, pauses, resumes, ends; and, when it was heard over an answer,
  the verdict on what it was (`WORDS`, `NOISE`);
- what has really left the outbox: the answer has started, its first audio was sent, it is over (it
  was played to its end, or there was nothing to say);
- the client: it commits audio, asks for an answer, cancels one, discards what was said.

When each state is entered and left:

- LISTENING_IDLE: nobody speaks and nothing is awaited. Left by speech, or by a client that asks.
- LISTENING_ACTIVE: the caller has the floor. A draft may be in work since their last pause. Left
  when their turn ends.
- PROCESSING: the turn is the server's, and nothing has been said of it yet.
- AI_GENERATING: the client was told of an answer, and nothing of it is heard at the moment: it has
  no audio yet, or it goes on after an interruption that was nothing.
- AI_SPEAKING: the caller hears the answer. Left when it was played to its end.
- INTERRUPTED: there is sound of the caller while the turn is the server's. The answer is held, not
  cancelled, until it is known what that sound is: words take the floor, anything else gives it
  back, and so does a pause after what is not known yet.

An interruption is told before the end of the answer that it cuts, as clients expect: who hears of
the end first takes the answer for one that was played.

Sound that was judged to be nothing may go on while the answer does; it can still turn out to be
words at the strict check, which is why the server's states take `WORDS` as well.
"""

from collections.abc import Mapping
from enum import Enum


class State(Enum):
    """Whose turn it is."""

    LISTENING_IDLE = "listening_idle"
    LISTENING_ACTIVE = "listening_active"
    PROCESSING = "processing"
    AI_GENERATING = "ai_generating"
    AI_SPEAKING = "ai_speaking"
    INTERRUPTED = "interrupted"


class Trigger(Enum):
    """What has happened."""

    SPEECH_STARTED = "speech started"
    SPEECH_PAUSED = "speech paused"
    SPEECH_RESUMED = "speech resumed"
    SPEECH_ENDED = "speech ended"
    SPEECH_DISCARDED = "speech discarded"  # by the client
    AUDIO_COMMITTED = "audio committed"  # by a client that decides itself when a turn ends
    ANSWER_REQUESTED = "answer requested"  # by the client
    CALLER_IDLE = "caller idle"  # nobody has spoken for long
    ANSWER_STARTED = "answer started"  # the client was told of it
    AUDIO_SENT = "audio sent"  # the first of the answer, or the first since it was held
    ANSWER_OVER = "answer over"  # played to its end, or there was nothing to say
    ANSWER_CANCELLED = "answer cancelled"  # by the client
    WORDS = "words"  # the caller's sound over an answer is speech that wants the floor
    NOISE = "noise"  # it is a noise, an echo, a backchannel


class Command(Enum):
    """What the session is to do."""

    ANNOUNCE_SPEECH = "announce speech"  # tell the client that the caller has the floor
    READ_AHEAD = "read ahead"  # let the model read what was said before
    DRAFT = "draft"  # begin an answer that may be thrown away
    DISTRUST_DRAFT = "distrust draft"  # the caller goes on: it holds only if nothing was added
    TAKE_SPEECH = "take speech"  # what was said becomes an item, and is answered
    TAKE_AUDIO = "take audio"  # what was said becomes an item
    FORGET_SPEECH = "forget speech"  # that was over an answer, or no speech
    DISCARD_SPEECH = "discard speech"  # whatever it was
    DROP_DRAFT = "drop draft"
    ANSWER = "answer"  # from the history as it stands
    CHECK_IN = "check in"  # ask whether the caller is still there; when asked already, say goodbye
    HOLD = "hold"  # nothing of the answer leaves for now
    JUDGE = "judge"  # find out what the caller's sound is
    RELEASE = "release"  # the answer goes on where it was held
    CANCEL_ANSWER = "cancel answer"  # where the caller has heard it so far


Step = tuple[State, tuple[Command, ...]]

_IDLE, _ACTIVE = State.LISTENING_IDLE, State.LISTENING_ACTIVE
_PROCESSING, _GENERATING = State.PROCESSING, State.AI_GENERATING
_SPEAKING, _INTERRUPTED = State.AI_SPEAKING, State.INTERRUPTED
# The answer is cut before it is read: as far as it was heard.
_TAKING_THE_FLOOR = (Command.ANNOUNCE_SPEECH, Command.CANCEL_ANSWER, Command.READ_AHEAD)


def _answering(state: State) -> dict[tuple[State, Trigger], Step]:
    """What the three states have in common in which the turn is the server's."""
    return {
        (state, Trigger.SPEECH_STARTED): (_INTERRUPTED, (Command.HOLD, Command.JUDGE)),
        (state, Trigger.SPEECH_PAUSED): (state, ()),
        (state, Trigger.SPEECH_RESUMED): (state, ()),
        (state, Trigger.SPEECH_ENDED): (state, (Command.FORGET_SPEECH,)),
        (state, Trigger.SPEECH_DISCARDED): (state, (Command.DISCARD_SPEECH,)),
        (state, Trigger.WORDS): (_ACTIVE, _TAKING_THE_FLOOR),
        (state, Trigger.ANSWER_OVER): (_IDLE, ()),
        (state, Trigger.ANSWER_CANCELLED): (_IDLE, (Command.CANCEL_ANSWER,)),
    }


TABLE: Mapping[tuple[State, Trigger], Step] = {
    (_IDLE, Trigger.SPEECH_STARTED): (_ACTIVE, (Command.ANNOUNCE_SPEECH, Command.READ_AHEAD)),
    (_IDLE, Trigger.SPEECH_PAUSED): (_IDLE, ()),
    (_IDLE, Trigger.SPEECH_ENDED): (_IDLE, (Command.FORGET_SPEECH,)),
    (_IDLE, Trigger.SPEECH_DISCARDED): (_IDLE, (Command.DISCARD_SPEECH,)),
    (_IDLE, Trigger.AUDIO_COMMITTED): (_PROCESSING, (Command.TAKE_AUDIO,)),
    (_IDLE, Trigger.ANSWER_REQUESTED): (_PROCESSING, (Command.ANSWER,)),
    (_IDLE, Trigger.CALLER_IDLE): (_PROCESSING, (Command.CHECK_IN,)),
    (_ACTIVE, Trigger.SPEECH_PAUSED): (_ACTIVE, (Command.DRAFT,)),
    (_ACTIVE, Trigger.SPEECH_RESUMED): (_ACTIVE, (Command.DISTRUST_DRAFT,)),
    (_ACTIVE, Trigger.SPEECH_ENDED): (_PROCESSING, (Command.TAKE_SPEECH,)),
    (_ACTIVE, Trigger.SPEECH_DISCARDED): (_IDLE, (Command.DROP_DRAFT, Command.DISCARD_SPEECH)),
    **_answering(_PROCESSING),
    (_PROCESSING, Trigger.ANSWER_STARTED): (_GENERATING, ()),
    **_answering(_GENERATING),
    (_GENERATING, Trigger.ANSWER_STARTED): (_GENERATING, ()),
    (_GENERATING, Trigger.AUDIO_SENT): (_SPEAKING, ()),
    **_answering(_SPEAKING),
    (_INTERRUPTED, Trigger.SPEECH_STARTED): (_INTERRUPTED, ()),
    (_INTERRUPTED, Trigger.SPEECH_PAUSED): (_INTERRUPTED, (Command.JUDGE,)),
    (_INTERRUPTED, Trigger.SPEECH_RESUMED): (_INTERRUPTED, ()),
    (_INTERRUPTED, Trigger.SPEECH_ENDED): (_INTERRUPTED, (Command.JUDGE,)),
    (_INTERRUPTED, Trigger.SPEECH_DISCARDED): (
        _GENERATING,
        (Command.DISCARD_SPEECH, Command.RELEASE),
    ),
    (_INTERRUPTED, Trigger.WORDS): (_ACTIVE, _TAKING_THE_FLOOR),
    (_INTERRUPTED, Trigger.NOISE): (_GENERATING, (Command.RELEASE,)),
    (_INTERRUPTED, Trigger.ANSWER_OVER): (_ACTIVE, (Command.ANNOUNCE_SPEECH, Command.READ_AHEAD)),
    (_INTERRUPTED, Trigger.ANSWER_CANCELLED): (_ACTIVE, _TAKING_THE_FLOOR),
}


class IllegalTransition(Exception):
    """The table has no such pair: a defect of whoever fired it."""


class Machine:
    """One session's state."""

    def __init__(self) -> None:
        self.state = State.LISTENING_IDLE

    def fire(self, trigger: Trigger) -> tuple[Command, ...]:
        """Move, and say what is to be done. Raises `IllegalTransition` and stays."""
        step = TABLE.get((self.state, trigger))
        if step is None:
            raise IllegalTransition(f"{trigger.value!r} in {self.state.value}")
        self.state, commands = step
        return commands

    @property
    def is_answering(self) -> bool:
        """Whether the turn is the server's."""
        return self.state not in (_IDLE, _ACTIVE)


def diagram() -> str:
    """The table as a Mermaid state diagram; arrows that differ only in their trigger are one."""
    arrows: dict[tuple[State, State, tuple[Command, ...]], list[Trigger]] = {}
    for (state, trigger), (target, commands) in TABLE.items():
        arrows.setdefault((state, target, commands), []).append(trigger)
    lines = ["stateDiagram-v2", f"    [*] --> {_IDLE.name}"]
    for (state, target, commands), triggers in arrows.items():
        label = ", ".join(trigger.value for trigger in triggers)
        if commands:
            label += " / " + ", ".join(command.value for command in commands)
        lines.append(f"    {state.name} --> {target.name}: {label}")
    return "\n".join(lines) + "\n"
