"""Sounds over an answer that are not words: it has to go on, or to go on again."""

from evaluation.scenarios.scenario import Play, Scenario
from evaluation.scenarios.scene import Scene
from evaluation.scenarios.sounds import SOUNDS

SLOW = 0.7
ECHOES_DB = (-20, -10)


def _over_an_answer(sound: str) -> Play:
    async def play(scene: Scene) -> None:
        scene.be_in_a_room(scene.rng.uniform(-60, -40))
        await scene.ask(scene.rng.choice(scene.words.long))
        await scene.listen(scene.rng.uniform(0.2, 1.0))
        await scene.make_sound(sound, scene.rng.uniform(-20, -3))
        await scene.hear_out()
        await scene.listen(1.5)

    return play


async def _backchannels(scene: Scene) -> None:
    await scene.ask(scene.rng.choice(scene.words.long))
    await scene.listen(scene.rng.uniform(0.2, 1.2))
    await scene.murmur(scene.rng.choice(scene.words.backchannels), scene.words.language)
    await scene.hear_out()
    await scene.listen(1.5)


def _fed_back(level_db: int) -> Play:
    async def play(scene: Scene) -> None:
        scene.echo(level_db, scene.rng.uniform(0.05, 0.3))
        await scene.ask(scene.rng.choice(scene.words.long))
        await scene.hear_out_as_echo(f"echo {level_db} dB")

    return play


SCENARIOS = (
    *(
        Scenario(f"noise {sound}", f"{sound} over an answer", _over_an_answer(sound), speed=SLOW)
        for sound in SOUNDS
    ),
    Scenario(
        "backchannels",
        '"mm-hmm" and the like over an answer',
        _backchannels,
        every_language=True,
        speed=SLOW,
    ),
    *(
        Scenario(
            f"echo {level_db} dB",
            f"the answer heard by the microphone at {level_db} dB, 50 to 300 ms later",
            _fed_back(level_db),
        )
        for level_db in ECHOES_DB
    ),
)
