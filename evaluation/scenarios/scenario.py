"""What a scenario is."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from evaluation.scenarios.scene import Scene

Play = Callable[[Scene], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A script for one call; every seed plays it in one language, or in each."""

    name: str
    about: str
    play: Play
    every_language: bool = False
    speed: float = 1.0  # of the server's voice: slow answers leave time to be talked over
    then: Play | None = None  # the next call, after this one
