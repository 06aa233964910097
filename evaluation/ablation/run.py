"""Asks every question by every way, one after the other, with nothing remembered between them."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from types import MappingProxyType

from engines.errors import EngineError
from engines.host import Engines
from engines.llm import Forget, Message
from evaluation.ablation.scoring import is_right
from evaluation.ablation.ways import Way, thinker
from evaluation.data.questions import Question
from server.conversation.prompt import Asked
from server.conversation.thinking import Thinker

_CHOICE = "{question}\n\n{choices}"  # Belebele: the choices stand below the question


@dataclass(frozen=True, slots=True)
class Outcome:
    """One question by one way."""

    way: Way
    question: Question
    answer: str
    is_right: bool
    first_clause_seconds: float | None  # from the question; None: there was no answer
    seconds: float
    fallback: str = ""  # why a pivot went the direct way after all
    error: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """Tokens at most."""

    notes: int = 300  # of hidden reasoning
    answer: int = 200


async def ablate(
    engines: Engines,
    questions: Sequence[Question],
    ways: Sequence[Way],
    *,
    limits: Limits = Limits(),
    known: Mapping[tuple[Question, Way], Outcome] = MappingProxyType({}),
    on_outcome: Callable[[Outcome], None] = lambda outcome: None,
) -> list[Outcome]:
    """The outcomes, question by question, so that one cut off half way has all ways of each.

    What is `known` is not asked; `on_outcome` is told of all others as soon as they are there.
    """
    outcomes = []
    for number, question in enumerate(questions):
        for way in ways:
            if (question, way) in known:
                outcomes.append(known[question, way])
                continue
            thinks = thinker(way, engines, f"ablation-{number}-{way.name}", limits.notes)
            outcome = await _ask(engines, thinks, question, way, limits)
            await _forget(engines, thinks.record.session_id, question.language)
            on_outcome(outcome)
            outcomes.append(outcome)
    return outcomes


async def _ask(
    engines: Engines, thinks: Thinker, question: Question, way: Way, limits: Limits
) -> Outcome:
    loop = asyncio.get_running_loop()
    message = Message("user", _text(question))
    session = thinks.record.session_id
    asked = Asked(
        session,
        question.language,
        (message,),
        max_tokens=limits.answer,
        for_the_ear=engines.for_the_ear,
    )
    began_at = loop.time()
    pieces: list[str] = []
    first_seconds, error = None, ""
    try:
        async with aclosing(thinks.think(way.tier, asked)) as thoughts:
            async for thought in thoughts:
                if isinstance(thought, str):
                    first_seconds = first_seconds or loop.time() - began_at
                    pieces.append(thought)
    except EngineError as failure:
        error = str(failure)
    seconds = loop.time() - began_at
    answer = "".join(pieces).strip()
    return Outcome(
        way,
        question,
        answer,
        is_right(answer, question),
        first_seconds,
        seconds,
        thinks.record.fallback,
        error,
    )


def _text(question: Question) -> str:
    if not question.choices:
        return question.text
    choices = [f"{number}. {choice}" for number, choice in enumerate(question.choices, start=1)]
    return _CHOICE.format(question=question.text, choices="\n".join(choices))


async def _forget(engines: Engines, session: str, language: str) -> None:
    """A second question must not find the first one's words in the model's memory."""
    for name in (session, *(f"{session}/{part}" for part in ("english", "notes", "en", language))):
        async with engines.llm.submit(Forget(name)) as job:
            async for _ in job:
                pass
