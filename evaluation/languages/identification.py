"""Which language a first utterance is believed to be in, by its length, on the real recognizer.

Sentences of the starter models' domain are spoken by eSpeak NG and cut to so many words: every
utterance is the first of a call, so that nothing but itself speaks for its language.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from engines.batcher import Batcher, Priority
from engines.stt import SttRequest, Transcript
from evaluation.speech import Voice, synthesize
from evaluation.tables import markdown
from server.audio import samples_from_int16
from server.config import LANGUAGES
from server.conversation.hearing import voiced_seconds
from server.language.belief import Evidence, LanguageBelief

RATE_HZ = 16_000
LENGTHS = ((0.0, 0.8), (0.8, 1.5), (1.5, 2.5), (2.5, 30.0))  # voiced seconds
_VOICES = ("", "+f3", "+m4")
_PACES = (150, 175, 200)

Stt = Batcher[SttRequest, Transcript]


@dataclass(frozen=True, slots=True)
class Identified:
    """One utterance."""

    language: str  # spoken
    text: str
    seconds: float  # voiced
    guess: str  # the recognizer's likeliest
    believed: str  # by all the evidence


async def identify_all(
    stt: Stt, sentences: Sequence[tuple[str, str]], seed: int = 0
) -> AsyncIterator[Identified]:
    """Each (language, sentence), cut to a random length, spoken by a random voice."""
    rng = random.Random(seed)
    for language, sentence in sentences:
        words = sentence.split()
        text = " ".join(words[: rng.randint(1, len(words))])
        voice = Voice(rng.choice(_VOICES), rng.choice(_PACES), rng.randint(35, 65))
        speech = await asyncio.to_thread(synthesize, text, language, RATE_HZ, voice)
        samples = samples_from_int16(speech)
        transcript = await stt.run(SttRequest(samples, LANGUAGES), priority=Priority.OFFLINE)
        yield _identified(language, text, transcript, voiced_seconds(samples))


def _identified(language: str, text: str, transcript: Transcript, seconds: float) -> Identified:
    shares = transcript.language_probabilities
    belief = LanguageBelief.begin(LANGUAGES, "en")
    evidence = Evidence(transcript.text, shares, seconds, transcript.mean_token_probability)
    guess = max(shares, key=lambda code: shares[code])
    return Identified(language, text, seconds, guess, belief.update(evidence).language)


def table(found: Sequence[Identified]) -> str:
    """Languages by length: believed right, and in brackets the recognizer's own guess."""
    head = ["spoken", *(_name(*length) for length in LENGTHS), "all"]
    rows = [
        [language, *_row([each for each in found if each.language == language])]
        for language in dict.fromkeys(each.language for each in found)
    ]
    return markdown(head, [*rows, ["all", *_row(found)]])


def _row(found: Sequence[Identified]) -> list[str]:
    groups = [[each for each in found if low <= each.seconds < high] for low, high in LENGTHS]
    return [_share(group) for group in (*groups, list(found))]


def _share(group: Sequence[Identified]) -> str:
    if not group:
        return "-"
    believed = sum(each.believed == each.language for each in group) / len(group)
    guessed = sum(each.guess == each.language for each in group) / len(group)
    return f"{believed:.0%} ({guessed:.0%}) of {len(group)}"


def _name(low: float, high: float) -> str:
    return f"over {low:g} s" if high >= 30.0 else f"{low:g} to {high:g} s"
