"""The model reads what the caller says while they still say it.

As they begin, it reads what was said before: news to it where the oldest turns have been left out
since. Then words that are stable go into the model's memory (its KV cache). All of that has the
lowest priority and evicts nobody, and at the end of the turn only the last words are left to read.
Nothing depends on it: what is read in vain is counted, and overwritten by what was really said.
"""

import asyncio
import logging
from dataclasses import replace

from engines.batcher import Priority
from engines.errors import EngineError
from engines.llm import ChatRequest, Completion
from server.conversation.background import Spawn
from server.conversation.context import Conversation
from server.conversation.prompt import asked, direct_request
from server.metrics import Counters
from server.settings import Settings

log = logging.getLogger(__name__)


class Prefill:
    """Of one session: one at a time."""

    def __init__(self, conversation: Conversation, counters: Counters, spawn: Spawn) -> None:
        self._conversation = conversation
        self._counters = counters
        self._spawn = spawn
        self._task: asyncio.Task[None] | None = None

    def read(self, settings: Settings, said: str, language: str) -> None:
        """The caller has said so much by now, in this language; at first nothing."""
        if self._is_running() or not self._is_worth_it(said, language):
            return
        request = direct_request(asked(self._conversation, settings, language, said=said))
        self._task = self._spawn(lambda: self._submit(replace(request, generate=False)), "prefill")

    def stop(self) -> None:
        """The turn begins: it reads by itself."""
        if self._task is not None and self._is_running():
            self._task.cancel()
            self._counters.prefills["cancelled"] += 1
        self._task = None

    def _is_running(self) -> bool:
        return self._task is not None and not self._task.done()

    def _is_worth_it(self, said: str, language: str) -> bool:
        """A wrong guess of the language would cost the memory of the whole conversation: the
        prompt names the language at its beginning. And a pivot asks in English."""
        is_nothing = not said and not self._conversation.history.items
        if is_nothing or self._conversation.goes_by_english(said, language):
            return False
        return language == self._conversation.language or not self._conversation.history.items

    async def _submit(self, request: ChatRequest) -> None:
        try:
            llm = self._conversation.engines.llm
            async with llm.submit(request, priority=Priority.PARTIAL) as job:
                async for output in job:
                    if isinstance(output, Completion):
                        self._counters.prefills[output.reason] += 1
        except EngineError as error:  # the answer itself will say so
            self._counters.prefills["failed"] += 1
            log.info("no prefill: %s", error)
