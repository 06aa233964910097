"""The load generator, a process of its own: many callers in real time over the real WebSocket.

Every caller has a microphone that never closes and a loudspeaker; what is measured is what they
heard. The result goes to standard output as JSON, so that whoever started this process need not
share its load.
"""

import argparse
import asyncio
import json
import random
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from benchmarks.results import DRY_SECONDS, LATE_SECONDS, NOT_TAKEN, Exchange, LoadResult
from benchmarks.utterances import Utterance, repeated, utterances
from evaluation.caller import Caller, CallFailed, Spoken, call
from scripts.train_starter.domain import LANGUAGES

_ANSWER_TIMEOUT_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What each caller does."""

    url: str
    api_key: str
    turns: int  # at most, of a call
    seconds: float  # after which no turn is begun
    interrupt_share: float  # of the answers that a caller speaks over
    pause_seconds: tuple[float, float]  # of thought between an answer and the next utterance


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the callers and write the result."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.say and len(options.languages) != 1:
        parser.error("--say needs the language of the sentence: --languages en")
    speech = (
        {options.languages[0]: repeated(options.say, options.languages[0], seed=options.seed)}
        if options.say
        else utterances(options.languages, seed=options.seed)
    )
    plan = Plan(
        options.url,
        options.api_key,
        options.turns,
        options.seconds,
        options.interrupt,
        (options.pause, 2 * options.pause),
    )
    talkers = _talkers(plan, options.calls, speech, options.seed)
    result = asyncio.run(run_all(talkers, options.ramp))
    json.dump(result.to_json(), sys.stdout)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.load",
        description="Call a running server with many callers at once, in real time.",
    )
    parser.add_argument("url", help="ws://HOST:PORT/v1/realtime")
    parser.add_argument("--api-key", default="", help="of the server, if it asks for one")
    parser.add_argument("--calls", type=int, default=1, help="callers at once")
    parser.add_argument("--turns", type=int, default=1000, help="most turns of a call")
    parser.add_argument("--seconds", type=float, default=30.0, help="no turn is begun after these")
    parser.add_argument("--ramp", type=float, default=5.0, help="seconds over which calls come in")
    parser.add_argument("--pause", type=float, default=1.0, help="shortest pause between turns")
    parser.add_argument("--interrupt", type=float, default=0.1, help="share of answers spoken over")
    parser.add_argument("--languages", nargs="+", choices=LANGUAGES, default=list(LANGUAGES))
    parser.add_argument("--say", help="a sentence that all say, instead of the starter models'")
    parser.add_argument("--seed", type=int, default=0)
    return parser


def _talkers(
    plan: Plan, calls: int, speech: Mapping[str, list[Utterance]], seed: int
) -> "list[Talker]":
    """As many callers, the languages in turn."""
    languages = list(speech)
    return [
        Talker(n, speech[languages[n % len(languages)]], random.Random(f"{seed} {n}"), plan)
        for n in range(calls)
    ]


@dataclass(slots=True)
class Speaker(ABC):
    """One virtual caller: what it says, and what came of it."""

    number: int
    sentences: list[Utterance]
    rng: random.Random
    exchanges: list[Exchange] = field(default_factory=list, kw_only=True)
    failure: str = field(default="", kw_only=True)  # why the call ended early, if it did

    async def run(self, wait_seconds: float) -> None:
        """Hold one call, that long from now."""
        await asyncio.sleep(wait_seconds)
        try:
            await self.hold()
        except CallFailed as failure:
            self.failure = str(failure)

    @abstractmethod
    async def hold(self) -> None:
        """Hold the call to its end. Raises `CallFailed`."""


async def run_all(speakers: Sequence[Speaker], ramp_seconds: float) -> LoadResult:
    """Hold all calls, which come in one after the other over so many seconds."""
    lateness = Lateness()
    started, cpu_started = time.monotonic(), time.process_time()
    async with asyncio.TaskGroup() as group:
        watch = group.create_task(lateness.watch(), name="lateness")
        calls = [
            group.create_task(
                speaker.run(ramp_seconds * speaker.number / len(speakers)),
                name=f"caller {speaker.number}",
            )
            for speaker in speakers
        ]
        await asyncio.wait(calls)
        watch.cancel()
    return LoadResult(
        len(speakers),
        time.monotonic() - started,
        tuple(exchange for speaker in speakers for exchange in speaker.exchanges),
        time.process_time() - cpu_started,
        lateness.share,
        tuple(speaker.failure for speaker in speakers if speaker.failure),
    )


class Lateness:
    """How often the generator's own event loop was late, as its callers' microphones then were."""

    def __init__(self) -> None:
        self._ticks = self._late = 0

    @property
    def share(self) -> float:
        """Of the ticks that were late."""
        return self._late / self._ticks if self._ticks else 0.0

    async def watch(self) -> None:
        """Measure until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due_seconds = loop.time() + LATE_SECONDS
            await asyncio.sleep(LATE_SECONDS)
            self._ticks += 1
            self._late += loop.time() - due_seconds > LATE_SECONDS


@dataclass(slots=True)
class Talker(Speaker):
    """A caller of Tinig, who speaks over some of the answers."""

    plan: Plan

    async def hold(self) -> None:
        """Talk and listen, as planned."""
        async with call(self.plan.url, api_key=self.plan.api_key) as caller:
            await self._converse(caller)

    async def _converse(self, caller: Caller) -> None:
        interrupts = False
        while len(self.exchanges) < self.plan.turns and caller.now_seconds < self.plan.seconds:
            pause_seconds = 0.0 if interrupts else self.rng.uniform(*self.plan.pause_seconds)
            said = self.rng.choice(self.sentences)
            begun = Exchange(
                self.number, len(self.exchanges), said.language, said.text, interrupts=interrupts
            )
            since_seconds = caller.now_seconds
            spoken = caller.speak(said.samples, after_seconds=pause_seconds)
            interrupts = self.rng.random() < self.plan.interrupt_share
            problem = await self._listen(caller, since_seconds, spoken, speaks_over=interrupts)
            found = observed(caller, begun, since_seconds, spoken)
            self.exchanges.append(replace(found, problem=problem or found.problem))

    async def _listen(
        self, caller: Caller, since_seconds: float, spoken: Spoken, *, speaks_over: bool
    ) -> str:
        """Hear the answer to its end, or until the caller speaks over it; what went wrong."""
        await caller.sleep_until(spoken.end_seconds)
        try:
            if speaks_over:
                await _hear_a_part(caller, spoken, self.rng.uniform(0.4, 1.2))
                return ""
            await caller.hear_answer(since_seconds, _ANSWER_TIMEOUT_SECONDS)
            await caller.wait_for(
                lambda: bool(caller.received("tinig.turn", since_seconds)), caller.now_seconds + 1.0
            )
        except CallFailed as failure:
            if caller.closed:
                raise
            return str(failure)
        return ""


async def _hear_a_part(caller: Caller, spoken: Spoken, seconds: float) -> None:
    """Listen for some time once the answer has begun."""
    deadline_seconds = caller.now_seconds + _ANSWER_TIMEOUT_SECONDS
    if not await caller.wait_for(
        lambda: _first_sound(caller, spoken) is not None, deadline_seconds
    ):
        raise CallFailed(f"no answer within {_ANSWER_TIMEOUT_SECONDS:.0f} s")
    await caller.rest(seconds)


def _response(caller: Caller, spoken: Spoken) -> tuple[str, float] | None:
    """The answer to this and when it began: the last that began since the words did."""
    for event in reversed(caller.events):
        if event.at_seconds < spoken.start_seconds:
            return None
        if event.type == "response.created":
            return event.body["response"]["id"], event.at_seconds
    return None


def _first_sound(caller: Caller, spoken: Spoken) -> float | None:
    """When the answer to this was first heard: not what remained of the one before."""
    response = _response(caller, spoken)
    return None if response is None else caller.playback.first_sound_after(response[1])


def observed(caller: Caller, exchange: Exchange, since_seconds: float, spoken: Spoken) -> Exchange:
    """What the caller heard of the answer, and what the server says of the turn."""
    response, sound_seconds = _response(caller, spoken), _first_sound(caller, spoken)
    if response is None or sound_seconds is None:
        return replace(exchange, problem=NOT_TAKEN if exchange.interrupts else "was not answered")
    if sound_seconds < spoken.end_seconds:
        return replace(exchange, problem="was answered while the caller spoke")
    turns = [body["turn"] for body in caller.received("tinig.turn", since_seconds)]
    record: dict[str, Any] = next(
        (turn for turn in turns if turn["response_id"] == response[0]), {}
    )
    end_seconds = min(caller.now_seconds, caller.playback.end_seconds)
    gaps = caller.playback.gaps(sound_seconds, end_seconds, longer_than_seconds=DRY_SECONDS)
    return replace(
        exchange,
        voice_to_voice_ms=round(1000 * (sound_seconds - spoken.end_seconds), 1),
        milestones_ms=record.get("milestones_ms", {}),
        draft=record.get("draft", ""),
        prompt_tokens=record.get("prompt_tokens", 0),
        reused_tokens=record.get("reused_tokens", 0),
        answer_seconds=max(0.0, end_seconds - sound_seconds),
        dry_seconds=sum(end - start for start, end in gaps),
    )


if __name__ == "__main__":
    sys.exit(main())
