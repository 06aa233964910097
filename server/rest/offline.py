"""Engines for work that nobody waits for on the phone: every job goes after all calls' jobs."""

from dataclasses import dataclass
from typing import Any, cast

from engines.batcher import Batcher, Job, Priority
from engines.host import Engines


@dataclass(frozen=True, slots=True)
class _Offline:
    """A batcher with the lowest priority, whatever is asked for."""

    batcher: Batcher[Any, Any]

    @property
    def name(self) -> str:
        return self.batcher.name

    def submit(self, request: Any, *, priority: Priority = Priority.OFFLINE) -> Job[Any, Any]:
        del priority
        return self.batcher.submit(request, priority=Priority.OFFLINE)

    def post(self, request: Any, *, priority: Priority = Priority.OFFLINE) -> None:
        del priority
        self.batcher.post(request, priority=Priority.OFFLINE)

    async def run(self, request: Any, *, priority: Priority = Priority.OFFLINE) -> Any:
        del priority
        return await self.batcher.run(request, priority=Priority.OFFLINE)


def offline(engines: Engines) -> Engines:
    """The same engines, all of whose jobs have `Priority.OFFLINE`."""

    def behind(batcher: Batcher[Any, Any]) -> Any:
        return cast(Any, _Offline(batcher))

    return Engines(
        vad=behind(engines.vad),
        stt=behind(engines.stt),
        llm=behind(engines.llm),
        tts=behind(engines.tts),
        nmt=None if engines.nmt is None else behind(engines.nmt),
        loaded=engines.loaded,
        languages=engines.languages,
        reasons=engines.reasons,
        for_the_ear=engines.for_the_ear,
    )
