"""From a question to pieces that can be spoken, by the way that the router chose.

Every way yields texts (a clause, then sentences), the model's tool calls, and at last the
`Completion` of its answer. What is thought in English is heard by nobody. A translation that loses
a number, a date or a name is not spoken: from there on the question goes the direct way.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

from engines.batcher import Priority
from engines.llm import ChatRequest, Completion, TextDelta, ToolCall, ToolCallDelta
from engines.translate import Pair
from server.conversation.prompt import (
    ENGLISH,
    Asked,
    answer_request,
    direct_request,
    english_request,
    notes_request,
)
from server.conversation.translators import Interpreter, LlmBatcher, LostInTranslation, whole_text
from server.language.router import Tier
from server.language.sentences import SentenceStream
from server.metrics import Milestone, TurnRecord

Thought = str | ToolCallDelta | ToolCall | Completion


@dataclass(frozen=True, slots=True)
class Thinker:
    """Thinks for one turn, and notes in its record how far it has come."""

    llm: LlmBatcher
    interpreter: Interpreter
    record: TurnRecord
    notes_tokens: int = 200  # most that is thought before a structured answer
    native_notes: bool = False  # in the caller's language instead of English
    is_due: Callable[[], bool] = lambda: False  # whether silence comes unless more is said soon

    def think(
        self, tier: Tier, asked: Asked, english: str | None = None
    ) -> AsyncGenerator[Thought, None]:
        """The answer; `english` is the question in English, if that is known from the speech."""
        match tier:
            case Tier.PIVOT if asked.language != ENGLISH:
                return self._by_english(asked, english)
            case Tier.STRUCTURED:
                return self._by_notes(asked)
            case _:
                return self._clauses(direct_request(asked), asked.language, self.is_due)

    async def _by_english(self, asked: Asked, english: str | None) -> AsyncGenerator[Thought, None]:
        gap, has_called = "", False
        try:
            question, self.record.translator = await self.interpreter.translate(
                asked.question, Pair(asked.language, ENGLISH), Priority.ANSWER, english
            )
            self._reach(Milestone.TRANSLATED)
            self.record.question_in_english = question
            async with aclosing(self._translated(asked, question)) as thoughts:
                async for thought in thoughts:
                    gap = " " if isinstance(thought, str) else gap
                    has_called = has_called or isinstance(thought, ToolCallDelta)
                    yield thought
            return
        except LostInTranslation as loss:
            self.record.fallback = str(loss)
        if has_called:  # asked again, the model would have it done twice
            return
        thoughts = self._clauses(direct_request(asked), asked.language, self.is_due)
        async with aclosing(thoughts):
            async for thought in thoughts:
                yield gap + thought if isinstance(thought, str) else thought
                gap = "" if isinstance(thought, str) else gap

    async def _translated(self, asked: Asked, question: str) -> AsyncGenerator[Thought, None]:
        """The English answer, each piece in the caller's language."""
        back = Pair(ENGLISH, asked.language)
        priority, gap = Priority.ANSWER, ""
        async with aclosing(self._clauses(english_request(asked, question), ENGLISH)) as thoughts:
            async for thought in thoughts:
                if not isinstance(thought, str):
                    yield thought
                    continue
                piece, _ = await self.interpreter.translate(thought.strip(), back, priority)
                yield gap + piece
                priority, gap = Priority.CONTINUATION, " "

    async def _by_notes(self, asked: Asked) -> AsyncGenerator[Thought, None]:
        request = notes_request(asked, self.notes_tokens, native=self.native_notes)
        notes = await whole_text(self.llm, request, Priority.ANSWER)
        self._reach(Milestone.REASONED)
        request = answer_request(asked, notes)
        async with aclosing(self._clauses(request, asked.language, self.is_due)) as thoughts:
            async for thought in thoughts:
                yield thought

    async def _clauses(
        self, request: ChatRequest, language: str, is_due: Callable[[], bool] = lambda: False
    ) -> AsyncGenerator[Thought, None]:
        """What the model says, in speakable pieces; the first, and any that is due, is a clause."""
        sentences = SentenceStream(language)
        async with self.llm.submit(request) as job:
            async for output in job:
                match output:
                    case TextDelta(text=text):
                        self._reach(Milestone.FIRST_TOKEN)
                        self.record.generated_tokens += 1
                        for piece in sentences.push(text):
                            yield piece
                        if not job.has_more and is_due():
                            for piece in sentences.take_clauses():
                                yield piece
                    case ToolCallDelta() | ToolCall():
                        for piece in sentences.flush():  # what was said before the call
                            yield piece
                        yield output
                    case Completion():
                        yield output
        for piece in sentences.flush():
            yield piece

    def _reach(self, milestone: Milestone) -> None:
        self.record.reach(milestone, asyncio.get_running_loop().time())
