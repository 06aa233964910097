"""Plays scenarios, several calls at once, and keeps what shows a failure."""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import aiohttp

from evaluation.caller import RATE_HZ, Caller, CallFailed, call
from evaluation.recording import Playback, write_stereo
from evaluation.scenarios.figures import Finding, is_failure
from evaluation.scenarios.judge import judge
from evaluation.scenarios.scenario import Play, Scenario
from evaluation.scenarios.scene import Scene, random_voice
from evaluation.scenarios.take import Take
from evaluation.scenarios.words import words_by_language

EXTENSION_EVENTS = ("state", "turn", "interruption", "playback")
LET_GO_SECONDS = 5.0  # in which the server has to free what a call held
_POLL_SECONDS = 0.1
_NOT_KEPT = ("response.output_audio.delta",)  # of the events of a call: too many


@dataclass(frozen=True, slots=True)
class Job:
    """One call to be made."""

    scenario: Scenario
    language: str
    seed: int


@dataclass(frozen=True, slots=True)
class Judged:
    """A take and what was found in it."""

    take: Take
    findings: Sequence[Finding]

    @property
    def failures(self) -> list[Finding]:
        """The findings that a goal forbids."""
        return [finding for finding in self.findings if is_failure(finding)]


def plan(scenarios: Sequence[Scenario], languages: Sequence[str], seeds: range) -> list[Job]:
    """Seed by seed, so that a run that is cut short has tested everything equally often."""
    return [
        Job(scenario, language, seed)
        for seed in seeds
        for index, scenario in enumerate(scenarios)
        for language in _languages_of(scenario, languages, seed + index)
    ]


def _languages_of(scenario: Scenario, languages: Sequence[str], turn: int) -> Sequence[str]:
    return languages if scenario.every_language else [languages[turn % len(languages)]]


class Runner:
    """One server, called by several callers."""

    def __init__(self, url: str, api_key: str, output: Path, *, keep_all: bool = False) -> None:
        self._url = url
        self._api_key = api_key
        self._output = output
        self._keep_all = keep_all
        self._open_calls = 0

    async def run(
        self,
        jobs: Sequence[Job],
        num_calls: int,
        on_judged: Callable[[Judged], None],
        until: float,
    ) -> list[Judged]:
        """Play all jobs, `num_calls` at once; none is begun after `until` (`time.monotonic`)."""
        waiting = iter(jobs)
        judged: list[Judged] = []

        async def work() -> None:
            for job in self._until(waiting, until):
                for take in await self._play(job):
                    judged.append(take)
                    on_judged(take)

        async with asyncio.TaskGroup() as tasks:
            for number in range(num_calls):
                tasks.create_task(work(), name=f"caller {number}")
        return judged

    async def health(self) -> dict[str, Any]:
        """What the server says of itself. Raises `CallFailed`."""
        url = self._url.replace("ws", "http", 1).partition("/v1/")[0] + "/healthz"
        try:
            async with aiohttp.ClientSession() as http, http.get(url) as reply:
                health: dict[str, Any] = await reply.json()
                return health
        except aiohttp.ClientError as error:
            raise CallFailed(f"no reply from {url}: {error}") from error

    @staticmethod
    def _until(jobs: Iterator[Job], until: float) -> Iterator[Job]:
        while time.monotonic() < until:
            job = next(jobs, None)
            if job is None:
                return
            yield job

    async def _play(self, job: Job) -> list[Judged]:
        """The job's call, and the one that follows it."""
        rng = random.Random(f"{job.scenario.name}/{job.language}/{job.seed}")
        plays = [play for play in (job.scenario.play, job.scenario.then) if play is not None]
        return [await self._call(job, play, rng) for play in plays]

    async def _call(self, job: Job, play: Play, rng: random.Random) -> Judged:
        scene: Scene | None = None
        failure = ""
        try:
            async with self._line(job.scenario.speed) as caller:
                words = words_by_language()[job.language]
                scene = Scene(caller, words, rng, random_voice(rng))
                await play(scene)
        except CallFailed as error:
            failure = str(error)
        failure = failure or await self._what_is_left()
        if scene is None:
            note = Finding("defects", 1.0, job.scenario.name, failure)
            return Judged(_no_take(job, failure), [note])
        return self._judge(job, scene, failure)

    @asynccontextmanager
    async def _line(self, speed: float) -> AsyncIterator[Caller]:
        self._open_calls += 1
        try:
            async with call(
                self._url, api_key=self._api_key, extension_events=EXTENSION_EVENTS, speed=speed
            ) as caller:
                yield caller
        finally:
            self._open_calls -= 1

    async def _what_is_left(self) -> str:
        """Why the server has not let go of calls that are over; empty when it has."""
        deadline = time.monotonic() + LET_GO_SECONDS
        while True:
            sessions = int((await self.health())["sessions"])
            if sessions <= self._open_calls:
                return ""
            if time.monotonic() > deadline:
                return f"the server has {sessions} sessions, but there are {self._open_calls} calls"
            await asyncio.sleep(_POLL_SECONDS)

    def _judge(self, job: Job, scene: Scene, failure: str) -> Judged:
        caller = scene.caller
        take = Take(
            job.scenario.name,
            job.language,
            job.seed,
            scene.acts,
            caller.events,
            caller.playback,
            failure=failure,
            hung_up=scene.hung_up,
        )
        judged = Judged(take, judge(take))
        if judged.failures or self._keep_all:
            self._keep(judged, caller)
        return judged

    def _keep(self, judged: Judged, caller: Caller) -> None:
        """The recording (caller left, server right), the acts, events and findings of a call."""
        path = self._output / judged.take.name
        left, right = caller.microphone.to_samples(), caller.playback.to_samples()
        write_stereo(path.with_suffix(".wav"), left, right, RATE_HZ)
        record = {
            "findings": [asdict(finding) for finding in judged.findings],
            "acts": [asdict(act) for act in judged.take.acts],
            "events": [
                {"at_seconds": round(event.at_seconds, 3), **event.body}
                for event in judged.take.events
                if event.type not in _NOT_KEPT
            ],
        }
        text = json.dumps(record, ensure_ascii=False, indent=1)
        path.with_suffix(".json").write_text(text + "\n", encoding="utf-8")


def _no_take(job: Job, failure: str) -> Take:
    """Of a call that did not come about."""
    return Take(job.scenario.name, job.language, job.seed, [], [], Playback(RATE_HZ), failure)
