"""A conversation played on scripted engines in virtual time: a caller, a session, what came out."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from server.commands import AppendAudio, Command
from server.config import ConversationConfig, InterruptionConfig
from server.conversation.machine import State
from server.events import AnswerText, Event
from server.metrics import Counters
from server.session import Session
from server.settings import Settings
from tests.fakes import Stage

FRAME_SECONDS = 0.02
STILL_SECONDS = 2.0
PLAIN = ConversationConfig(shortest_end_silence_seconds=0.3)  # of the scripts
EventT = TypeVar("EventT")


@dataclass(frozen=True, slots=True)
class Speech:
    """The caller makes sound for this long."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Silence:
    """The caller is quiet for this long."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Rest:
    """The line is quiet for this long, and from when all has come to rest it is dead: a client that
    sends nothing, since more silence would only be more windows in which nobody speaks."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Stall:
    """The client sends nothing for this long, not even silence."""

    seconds: float


@dataclass(repr=False)  # asyncio shows results, and these hold minutes of audio
class Play:
    """What a conversation gave: every event with the time at which it left, in seconds."""

    stage: Stage
    session: Session
    counters: Counters
    events: list[tuple[float, Event]] = field(default_factory=list)

    def of(self, kind: type[EventT]) -> list[EventT]:
        """The events of one type."""
        return [event for _, event in self.events if isinstance(event, kind)]

    def times_of(self, kind: type[Event]) -> list[float]:
        """When the events of one type left."""
        return [time for time, event in self.events if isinstance(event, kind)]

    def is_at_rest(self, now_seconds: float) -> bool:
        """Whether nobody has the floor, no engine works, and nothing was sent for a while."""
        last_seconds = self.events[-1][0] if self.events else 0.0
        is_still = now_seconds - last_seconds >= STILL_SECONDS
        is_idle = self.session.state is State.LISTENING_IDLE
        return is_still and is_idle and not self.stage.open_jobs


Sound = Speech | Silence | Rest
Step = Sound | Stall | Command | Callable[[Play], Command]  # the last: known only by then


async def play(
    stage: Stage,
    steps: Sequence[Step],
    *,
    settings: Settings | None = None,
    config: ConversationConfig | None = None,
    interruption: InterruptionConfig | None = None,
    frame_seconds: float = FRAME_SECONDS,
) -> Play:
    """Hold a conversation and leave at its end."""
    settings = settings or Settings()
    counters = Counters()
    config = config or PLAIN
    session = Session(
        "sess_test",
        stage.engines,
        config=config,
        interruption=interruption or InterruptionConfig(),
        settings=settings,
        counters=counters,
    )
    result = Play(stage, session, counters)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_collect(session, result))
        await session.run(_commands(steps, result, frame_seconds))
    return result


async def _collect(session: Session, result: Play) -> None:
    async for event in session.events():
        result.events.append((asyncio.get_running_loop().time(), event))


async def _commands(
    steps: Sequence[Step], result: Play, frame_seconds: float
) -> AsyncIterator[Command]:
    rate_hz = result.session.settings.input_format.rate_hz
    loop = asyncio.get_running_loop()
    for step in steps:
        if isinstance(step, Stall):
            await asyncio.sleep(step.seconds)
            continue
        if not isinstance(step, Sound):
            yield step(result) if callable(step) else step
            continue
        ends_seconds = loop.time() + step.seconds
        level = 0.5 if isinstance(step, Speech) else 0.0
        samples = np.full(int(frame_seconds * rate_hz), level, dtype=np.float32)
        for _ in range(round(step.seconds / frame_seconds)):
            if isinstance(step, Rest) and result.is_at_rest(loop.time()):
                await asyncio.sleep(ends_seconds - loop.time())
                break
            await asyncio.sleep(frame_seconds)
            yield AppendAudio(samples)


def said(result: Play) -> str:
    """All the words that were sent to be heard."""
    return "".join(event.text for event in result.of(AnswerText))
