"""Words over an answer that want the turn."""

from evaluation.scenarios.scenario import Scenario
from evaluation.scenarios.scene import Scene

SLOW = 0.7


async def _early(scene: Scene) -> None:
    await scene.ask(scene.rng.choice(scene.words.long))
    await scene.listen(scene.rng.uniform(0.1, 0.5))
    await scene.interrupt(scene.rng.choice(scene.words.interruptions), "early")
    await scene.hear_out()


async def _middle(scene: Scene) -> None:
    await scene.ask(scene.rng.choice(scene.words.long))
    await scene.listen(scene.rng.uniform(1.2, 2.2))
    await scene.interrupt(scene.rng.choice(scene.words.interruptions), "middle")
    await scene.hear_out()


async def _last_word(scene: Scene) -> None:
    """The same question twice: the first answer tells how long the second will be."""
    question = scene.rng.choice(scene.words.long)
    words = scene.rng.choice(scene.words.interruptions)
    await scene.prepare(words)
    await scene.ask(question)
    answer_seconds = await scene.hear_out()
    await scene.ask(question)
    await scene.listen(answer_seconds - scene.rng.uniform(0.3, 0.6))
    await scene.interrupt(words, "last word")
    await scene.hear_out()


async def _correction(scene: Scene) -> None:
    question, correction, expects = scene.rng.choice(scene.words.corrections)
    await scene.ask(question)
    await scene.listen(scene.rng.uniform(0.3, 1.0))
    await scene.interrupt(correction, "correction", expects)
    await scene.hear_out()


async def _twice(scene: Scene) -> None:
    first, second = scene.rng.sample(scene.words.interruptions, 2)
    await scene.ask(scene.rng.choice(scene.words.long))
    await scene.listen(scene.rng.uniform(0.3, 1.0))
    await scene.interrupt(first, "first of two")
    await scene.hear_the_answer_begin()
    await scene.listen(scene.rng.uniform(0.1, 0.6))
    await scene.interrupt(second, "second of two")
    await scene.hear_out()


async def _greeting(scene: Scene) -> None:
    await scene.be_greeted()
    await scene.listen(scene.rng.uniform(0.0, 0.3))
    question, expects = scene.rng.choice(scene.words.questions)
    await scene.interrupt(question, "over the greeting", expects)
    await scene.hear_out()


SCENARIOS = (
    Scenario("interruption early", "words in an answer's first half second", _early, speed=SLOW),
    Scenario("interruption middle", "words in the midst of an answer", _middle, speed=SLOW),
    Scenario("interruption last word", "words over an answer's last word", _last_word, speed=SLOW),
    Scenario("correction", "another question over the answer", _correction, speed=SLOW),
    Scenario(
        "two interruptions", "an interruption, and another over its answer", _twice, speed=SLOW
    ),
    Scenario("greeting", "a quick question over the server's greeting", _greeting, speed=SLOW),
)
