"""Answers beside the conversation: nothing of them enters it, and several may be made at once.

Each has an outbox and a history of its own, so that a turn serves for it as it is.
"""

import asyncio
import logging
from dataclasses import dataclass, replace

from engines.errors import ProtocolError, TinigError
from server.conversation.background import Spawn
from server.conversation.context import Conversation
from server.conversation.history import History
from server.conversation.outbox import Outbox
from server.conversation.turn import Turn
from server.events import Beside, Event, Failed, ResponseFinished, TurnFinished
from server.settings import Settings

MAXIMUM_ASIDES = 4  # at once in one session

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Aside:
    turn: Turn
    conversation: Conversation
    work: asyncio.Task[None] | None = None


class Asides:
    """Those of one session."""

    def __init__(self, conversation: Conversation, spawn: Spawn) -> None:
        self._conversation = conversation
        self._outbox = conversation.outbox
        self._spawn = spawn
        self._running: dict[str, _Aside] = {}

    def begin(self, settings: Settings, history: History) -> None:
        """Answer to this history. Raises `ProtocolError` when too many answers are being made."""
        if len(self._running) >= MAXIMUM_ASIDES:
            raise ProtocolError(
                f"{MAXIMUM_ASIDES} responses are in progress beside the conversation: "
                "wait for the response.done of one.",
                code="rate_limit_exceeded",
            )
        outbox = Outbox(history.record, self._conversation.config.playback_lead_seconds)
        conversation = replace(self._conversation, outbox=outbox, history=history)
        turn = Turn(conversation, settings, outbox.advance(), None)
        turn.confirm()
        conversation.session_id = turn.response_id  # a place of its own in the model's memory
        aside = self._running[turn.response_id] = _Aside(turn, conversation)
        aside.work = self._spawn(lambda: self._run(aside), f"aside {turn.response_id}")

    def cancel(self, response_id: str) -> bool:
        """Stop this answer; False when there is none."""
        aside = self._running.pop(response_id, None)
        if aside is None or aside.work is None:
            return False
        aside.work.cancel()
        self._tell(aside, ResponseFinished(response_id, "cancelled", "client_cancelled"))
        return True

    async def _run(self, aside: _Aside) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._answer(aside), name="aside's answer")
                async for event in aside.conversation.outbox:
                    self._tell(aside, event)
                    if isinstance(event, ResponseFinished):
                        self._running.pop(event.response_id, None)
                        break
        finally:
            aside.conversation.forget()

    async def _answer(self, aside: _Aside) -> None:
        try:
            await aside.turn.run()
        except Exception:  # a defect of ours ends this answer, not the call
            log.exception("an answer beside the conversation failed")
            error = TinigError("The server failed on this response. Try again.")
            aside.turn.abandon(error)

    def _tell(self, aside: _Aside, event: Event) -> None:
        match event:
            case Failed():
                self._outbox.put(event)
            case TurnFinished():
                pass  # it is no turn of the caller's
            case _:
                self._outbox.put(Beside(aside.turn.response_id, event))
