"""Callers who change their language, over the server's own socket, and the flips that were wrong.

A turn is wrong when it was answered in another language than the one that was due: that of a
sentence, the matrix of a mixed one, and the one before for a word or two.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from evaluation.caller import RATE_HZ, CallFailed, call
from evaluation.languages.scenarios import Line, Scenario
from evaluation.speech import synthesize
from evaluation.turns import take_turn

PAUSE_SECONDS = 0.6


@dataclass(frozen=True, slots=True)
class Flip:
    """One turn of a scenario, and the language that it was answered in; empty: it was not."""

    scenario: str
    line: Line
    heard: str
    answered_in: str

    @property
    def is_wrong(self) -> bool:
        """It was answered in another language than the one that was due."""
        return self.answered_in != self.line.due


async def hold(url: str, scenario: Scenario) -> AsyncIterator[Flip]:
    """Call the server and say all lines. A call that breaks leaves its other turns unanswered."""
    remaining = list(scenario.lines)
    try:
        async with call(url) as caller:
            while remaining:
                line = remaining[0]
                speech = await asyncio.to_thread(synthesize, line.says, line.voice, RATE_HZ)
                turn = await take_turn(caller, line.due, line.says, speech, PAUSE_SECONDS)
                remaining.pop(0)
                yield Flip(scenario.name, line, turn.heard, turn.heard_language)
    except CallFailed:
        for line in remaining:
            yield Flip(scenario.name, line, "", "")
