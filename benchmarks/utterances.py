"""What the callers of a load run say, spoken before it begins."""

import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from evaluation.caller import RATE_HZ
from evaluation.recording import Pcm
from evaluation.speech import Voice, synthesize
from scripts.train_starter.domain import LANGUAGES, sentences

_INTENTS = ("capital", "day", "clinic", "greeting", "thanks", "booking")
_VARIANTS = ("", "+f2", "+m3")


@dataclass(frozen=True, slots=True, eq=False)
class Utterance:
    """One sentence, and int16[n] of it at `evaluation.caller.RATE_HZ`."""

    language: str
    text: str
    samples: Pcm


def utterances(
    languages: Sequence[str] = LANGUAGES,
    each: int = 8,
    *,
    intents: Collection[str] = _INTENTS,
    seed: int = 0,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, list[Utterance]]:
    """`each` sentences of the starter models' domain in every language, by eSpeak NG.

    They ask for different things, all of these intents.
    """
    rng = random.Random(f"utterances {seed}")
    made: dict[str, list[Utterance]] = {language: [] for language in languages}
    for language in languages:
        groups = [
            group for group in sentences(language, "train").values() if group[0].intent in intents
        ]
        for group in rng.sample(groups, each):
            made[language].append(_spoken(rng.choice(group).text, language, rng))
            on_progress(sum(map(len, made.values())), each * len(languages))
    return made


def repeated(text: str, language: str, each: int = 8, *, seed: int = 0) -> list[Utterance]:
    """The same sentence in as many voices, by eSpeak NG."""
    rng = random.Random(f"repeated {seed}")
    return [_spoken(text, language, rng) for _ in range(each)]


def _spoken(text: str, language: str, rng: random.Random) -> Utterance:
    voice = Voice(rng.choice(_VARIANTS), rng.randint(160, 185), rng.randint(40, 60))
    return Utterance(language, text, synthesize(text, language, RATE_HZ, voice))
