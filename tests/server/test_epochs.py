"""An answer's end belongs to its own epoch, however close the next answer follows."""

import asyncio
from collections.abc import AsyncIterator
from typing import TypeVar

from server.commands import Command, CreateItem, CreateResponse, TruncateItem
from server.config import ConversationConfig, InterruptionConfig
from server.conversation.machine import State
from server.events import (
    AnswerStarted,
    Event,
    Failed,
    ResponseFinished,
    ResponseStarted,
    StateChanged,
)
from server.items import MessageItem
from server.metrics import Counters
from server.session import Session
from server.settings import Settings
from tests.fakes import Stage
from tests.virtual import virtual_time

EventT = TypeVar("EventT")


class Client:
    """Asks, and asks anew in the very tick in which the first answer is told to be complete."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._complete = asyncio.Event()
        self._over = asyncio.Event()

    async def commands(self) -> AsyncIterator[Command]:
        yield CreateItem(MessageItem("item_question", "user", "What is the capital of France?"))
        yield CreateResponse()
        await self._complete.wait()
        yield TruncateItem(self.of(AnswerStarted)[0].item_id, 100)
        yield CreateResponse()
        await self._over.wait()

    async def read(self, session: Session) -> None:
        async for event in session.events():
            self.events.append(event)
            if isinstance(event, ResponseFinished):
                # Wakes the commands before the session's own task for this end has begun.
                (self._over if self._complete.is_set() else self._complete).set()

    def of(self, kind: type[EventT]) -> list[EventT]:
        return [event for event in self.events if isinstance(event, kind)]


@virtual_time
async def test_the_end_of_an_answer_does_not_end_the_next_one() -> None:
    client, stage = Client(), Stage()
    session = Session(
        "sess_test",
        stage.engines,
        config=ConversationConfig(),
        interruption=InterruptionConfig(),
        settings=Settings(),
        counters=Counters(),
    )
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(client.read(session))
        await session.run(client.commands())
    assert not client.of(Failed)
    assert [event.status for event in client.of(ResponseFinished)] == ["completed", "completed"]
    assert len(client.of(ResponseStarted)) == 2
    states = [event.state for event in client.of(StateChanged)]
    second = states.index(State.LISTENING_IDLE) + 1  # the client had cut the first one short
    assert states[second:] == [State.PROCESSING, State.AI_GENERATING, State.AI_SPEAKING]
