"""Pauses in mid-sentence: the server has to wait."""

from evaluation.scenarios.scenario import Scenario
from evaluation.scenarios.scene import Scene

PAUSES_MS = (400, 700, 1000)


async def _pauses(scene: Scene) -> None:
    sentences = scene.rng.sample(scene.words.halves, len(PAUSES_MS))
    for pause_ms, halves in zip(PAUSES_MS, sentences, strict=True):
        await scene.ask_with_pause(halves, pause_ms / 1000, f"{pause_ms} ms")
        await scene.hear_out()


SCENARIOS = (
    Scenario(
        "pauses",
        "a sentence with a pause of 400, 700 and 1,000 ms in it",
        _pauses,
        every_language=True,
    ),
)
