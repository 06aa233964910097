"""The line itself: callers who hang up, and callers who say nothing."""

from evaluation.scenarios.scenario import Play, Scenario
from evaluation.scenarios.scene import Scene

SLOW = 0.7
SILENCE_SECONDS = 600.0
SILENCE_PACE = 20.0


async def _while_idle(scene: Scene) -> None:
    await scene.listen(scene.rng.uniform(0.0, 0.5))


async def _while_speaking(scene: Scene) -> None:
    await scene.begin_to_say(scene.rng.choice(scene.words.long))
    await scene.wait_for_state("listening_active")
    await scene.listen(scene.rng.uniform(0.0, 0.5))


def _during_the_answer(state: str) -> Play:
    async def play(scene: Scene) -> None:
        await scene.begin_to_say(scene.rng.choice(scene.words.long))
        await scene.wait_for_state(state)

    return play


async def _while_interrupting(scene: Scene) -> None:
    await scene.ask(scene.rng.choice(scene.words.long))
    await scene.begin_to_say(scene.rng.choice(scene.words.interruptions))
    await scene.wait_for_state("interrupted")


_UNTIL: dict[str, Play] = {
    "listening_idle": _while_idle,
    "listening_active": _while_speaking,
    "processing": _during_the_answer("processing"),
    "ai_generating": _during_the_answer("ai_generating"),
    "ai_speaking": _during_the_answer("ai_speaking"),
    "interrupted": _while_interrupting,
}


def _hang_up_when(state: str) -> Play:
    async def play(scene: Scene) -> None:
        await _UNTIL[state](scene)
        scene.hang_up()

    return play


async def _next_call(scene: Scene) -> None:
    await scene.ask(scene.rng.choice(scene.words.questions), "next call")
    await scene.hear_out()


async def _silence(scene: Scene) -> None:
    scene.be_in_a_room(scene.rng.uniform(-65, -50))
    await scene.be_silent(SILENCE_SECONDS, SILENCE_PACE)
    await scene.ask(scene.rng.choice(scene.words.questions), "after silence")
    await scene.hear_out()


SCENARIOS = (
    *(
        Scenario(f"hang-up {state}", f"the caller leaves in {state}", play, then=then)
        for state, play, then in ((s, _hang_up_when(s), _next_call) for s in _UNTIL)
    ),
    Scenario("silence", "ten minutes of a silent room, sent fast, then a question", _silence),
)
