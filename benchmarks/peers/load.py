"""Callers for any voice agent, a process of its own: `python -m benchmarks.peers.load WIRE URL...`

Caller n calls the URL n, or as many in turn as there are. When an answer begins and ends is what
the caller hears, whatever a system says of itself. The first turn of a call warms the system up and
is not counted. Writes the result to standard output as JSON, and what each caller heard as
CALL-TURN.wav.
"""

import argparse
import asyncio
import json
import random
import sys
import wave
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.load import Speaker, run_all
from benchmarks.peers.wires import WIRES, Dial
from benchmarks.results import DRY_SECONDS, Exchange
from benchmarks.utterances import utterances
from evaluation.caller import RATE_HZ, Caller, Spoken

INTENTS = ("capital", "clinic", "thanks")  # answered by themselves
SEED = 6  # of sentences whose answers the judge hears rightly
ANSWER_SECONDS = 10.0  # that a caller waits for one
OVER_SECONDS = 1.0  # of nothing heard, after which the caller takes the answer to be over
PAUSE_SECONDS = (0.2, 0.8)  # of thought before the next utterance


@dataclass(frozen=True, slots=True)
class Plan:
    """What each caller does."""

    dial: Dial
    urls: tuple[str, ...]
    turns: int  # of a call, that are counted
    recordings: Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the callers and write the result."""
    options = _parser().parse_args(arguments)
    speech = utterances(("en",), intents=INTENTS, seed=options.seed)["en"]
    options.recordings.mkdir(parents=True, exist_ok=True)
    plan = Plan(WIRES[options.wire], tuple(options.urls), options.turns, options.recordings)
    talkers = [
        Talker(n, speech, random.Random(f"{options.seed} {n}"), plan) for n in range(options.calls)
    ]
    result = asyncio.run(run_all(talkers, options.ramp))
    json.dump(result.to_json(), sys.stdout)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers.load")
    parser.add_argument("wire", choices=list(WIRES))
    parser.add_argument("urls", nargs="+")
    parser.add_argument("--calls", type=int, default=1)
    parser.add_argument("--turns", type=int, default=20, help="of a call, but for its first")
    parser.add_argument("--ramp", type=float, default=3.0, help="seconds over which calls come in")
    parser.add_argument("--recordings", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=SEED)
    return parser


@dataclass(slots=True)
class Talker(Speaker):
    """One caller, who waits for the end of each answer."""

    plan: Plan

    async def hold(self) -> None:
        """Talk and listen, as planned."""
        async with self.plan.dial(self.plan.urls[self.number % len(self.plan.urls)]) as caller:
            await self._turn(caller)
            while len(self.exchanges) < self.plan.turns:
                self.exchanges.append(await self._turn(caller))

    async def _turn(self, caller: Caller) -> Exchange:
        said = self.rng.choice(self.sentences)
        begun = Exchange(self.number, len(self.exchanges), said.language, said.text)
        spoken = caller.speak(said.samples, after_seconds=self.rng.uniform(*PAUSE_SECONDS))
        await caller.sleep_until(spoken.end_seconds)
        await _hear_out(caller, spoken)
        _record(self.plan.recordings / f"{begun.call}-{begun.turn}.wav", caller, spoken)
        return observed(caller, begun, spoken)


async def _hear_out(caller: Caller, spoken: Spoken) -> None:
    """Listen until an answer has been heard and nothing follows, or patience ends."""
    deadline_seconds = caller.now_seconds + ANSWER_SECONDS
    while caller.now_seconds < deadline_seconds:
        sound_seconds = caller.playback.first_sound_after(spoken.end_seconds)
        over_seconds = caller.playback.end_seconds + OVER_SECONDS
        if sound_seconds is not None and over_seconds <= caller.now_seconds:
            return
        is_heard = sound_seconds is not None
        wait_seconds = over_seconds - caller.now_seconds if is_heard else OVER_SECONDS
        await caller.rest(max(0.01, min(wait_seconds, deadline_seconds - caller.now_seconds)))


def observed(caller: Caller, exchange: Exchange, spoken: Spoken) -> Exchange:
    """What the caller heard of the answer."""
    playback = caller.playback
    early_seconds = playback.first_sound_after(spoken.start_seconds)
    if early_seconds is None:
        return replace(exchange, problem="no answer was heard")
    if early_seconds < spoken.end_seconds:
        return replace(exchange, problem="something was said while the caller spoke")
    end_seconds = min(caller.now_seconds, playback.end_seconds)
    gaps = playback.gaps(early_seconds, end_seconds, longer_than_seconds=DRY_SECONDS)
    return replace(
        exchange,
        voice_to_voice_ms=round(1000 * (early_seconds - spoken.end_seconds), 1),
        answer_seconds=max(0.0, end_seconds - early_seconds),
        dry_seconds=sum(end - start for start, end in gaps),
    )


def _record(path: Path, caller: Caller, spoken: Spoken) -> None:
    """The loudspeaker from the end of the caller's words until now."""
    start = round(spoken.end_seconds * RATE_HZ)
    heard = caller.playback.between(start, round(caller.now_seconds * RATE_HZ) - start)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(heard.tobytes())


if __name__ == "__main__":
    sys.exit(main())
