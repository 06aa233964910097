"""What is said in the training: mostly what callers say, and some of what else may be heard.

The model learns the questions that the starter LLM declines and the assistant's own answers, too:
so it does not take every question for one of the domain, and can check the assistant's voice.
"""

from __future__ import annotations

import functools
import random
import re
from collections.abc import Mapping

from scripts.train_starter.domain import slot_words, utterance
from scripts.train_starter.domain.answers import say
from scripts.train_starter.domain.decline import out_of_domain
from scripts.train_starter.domain.sentences import base_slot, load, slot_table

KINDS: Mapping[str, float] = {
    "utterance": 0.64,
    "slot_words": 0.1,  # in random order: the model must hear them, not guess them
    "out_of_domain": 0.18,
    "answer": 0.08,
}
MAX_SLOT_PHRASES = 4
_FIELD = re.compile(r"\{(\w+)\}")


def training_text(language: str, rng: random.Random) -> str:
    """Something to say in `language`; never a held-out sentence of a caller."""
    kind = rng.choices(list(KINDS), list(KINDS.values()))[0]
    if kind == "slot_words":
        words = slot_words(language)
        return " ".join(rng.choice(words) for _ in range(rng.randint(1, MAX_SLOT_PHRASES)))
    if kind == "out_of_domain":
        return out_of_domain(language, rng).text
    if kind == "answer":
        return answer(language, rng)
    return utterance(language, rng, "train").text


def answer(language: str, rng: random.Random) -> str:
    """One of the assistant's answers; none that quotes another language."""
    answer_id, slot_names = rng.choice(_answers(language))
    slots = {name: rng.choice(list(slot_table(language, name))) for name in slot_names}
    return say(language, answer_id, slots)


@functools.cache
def _answers(language: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Ids of the answers, with the slots that they need."""
    answers: Mapping[str, str] = load(language)["answers"]
    slots = {
        answer_id: tuple({base_slot(field) for field in _FIELD.findall(text)})
        for answer_id, text in answers.items()
    }
    return tuple((answer_id, names) for answer_id, names in slots.items() if "phrase" not in names)
