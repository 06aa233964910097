"""What an utterance was, in the language that the conversation is believed to be in."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import numpy as np

from engines.batcher import Batcher, Priority
from engines.errors import EngineError
from engines.stt import Transcript
from engines.turn_end import TurnEndRequest
from engines.vad import RATE_HZ, WINDOW_SAMPLES
from server.audio import Samples
from server.conversation.completeness import turn_completeness
from server.conversation.context import Conversation
from server.language.belief import Decision, Evidence, LanguageBelief, Reason
from server.settings import Settings

log = logging.getLogger(__name__)

_LATEST_SECONDS = 0.1  # after the words, that it is open what a model hears of the voice: then our
# own classifier serves, which takes no time; so a model that is asked for too much gives way
_QUIET = 0.1  # of the loudest windows: what is below it is a pause


@dataclass(frozen=True, slots=True)
class Hearing:
    """A final transcript and what it says of the language."""

    transcript: Transcript
    decision: Decision
    evidence: Evidence | None = None  # None: the client has chosen the language
    guess: str | None = None  # the recognizer's own language, if it was decoded again in another
    completeness: float | None = None  # probability that the caller's turn ends here, if known


async def hear(conversation: Conversation, samples: Samples, settings: Settings) -> Hearing:
    """The words of float32[n] at 16 kHz and whether they end the turn. Raises `EngineError`."""
    async with judging_end(conversation, samples) as ending:
        hearing = await hear_words(conversation, samples, settings)
        return replace(hearing, completeness=await ending.completeness(hearing.transcript))


@asynccontextmanager
async def judging_end(
    conversation: Conversation, samples: Samples, *, is_open: bool = True
) -> AsyncIterator["Ending"]:
    """Judge the voice of float32[n] at 16 kHz meanwhile, where the owner has a model for it and
    nothing else has decided whether it ends the turn: `is_open`."""
    engine = conversation.engines.turn_end if is_open else None
    voice = asyncio.create_task(_voice_ends(engine, samples), name="turn end") if engine else None
    try:
        yield Ending(samples, conversation.config.low_confidence, voice)
    finally:
        if voice is not None:
            voice.cancel()
            await asyncio.wait({voice})


@dataclass(frozen=True, slots=True)
class Ending:
    """Whether an utterance ends the caller's turn, by its words and its voice."""

    samples: Samples  # float32[n], mono, 16 kHz
    low_confidence: float
    voice: asyncio.Task[float | None] | None  # None: it is not judged by a model

    async def completeness(self, transcript: Transcript) -> float | None:
        """The probability of it, once the words are there; None: there is nothing to judge by."""
        judged: float | None = None
        if self.voice is not None:
            await asyncio.wait({self.voice}, timeout=_LATEST_SECONDS)
            judged = self.voice.result() if self.voice.done() else None
            self.voice.cancel()
        return turn_completeness(transcript, self.samples, self.low_confidence, judged)


async def _voice_ends(engine: Batcher[TurnEndRequest, float], samples: Samples) -> float | None:
    """Probability that the turn is over, by the model that the owner has for it."""
    try:
        return await engine.run(TurnEndRequest(samples), priority=Priority.ANSWER)
    except EngineError as error:  # our own classifier serves then
        log.warning("the end of a turn could not be judged: %s", error)
        return None


async def hear_words(conversation: Conversation, samples: Samples, settings: Settings) -> Hearing:
    """Transcribe float32[n] at 16 kHz; once more when the belief has another language for it.

    The belief is not moved: that is for whom the words count. Raises `EngineError`.
    """
    transcript = await conversation.transcribe(samples, settings, Priority.ANSWER)
    belief = conversation.belief
    if settings.transcription_language is not None:
        return Hearing(transcript, _chosen(belief, settings.transcription_language))
    evidence = Evidence(
        transcript.text,
        transcript.language_probabilities,
        voiced_seconds(samples),
        transcript.mean_token_probability,
    )
    decision = belief.update(evidence)
    if not transcript.text or not _is_in_another(transcript, decision):
        return Hearing(transcript, decision, evidence)
    again = await conversation.transcribe(
        samples, settings, Priority.ANSWER, likely_language=decision.language
    )
    if not _is_usable(again, transcript, conversation.config.low_confidence):
        return Hearing(transcript, decision, evidence, guess=transcript.language)
    return Hearing(again, decision, evidence, guess=transcript.language)


def voiced_seconds(samples: Samples) -> float:
    """How much of float32[n] at 16 kHz is not quiet, by the level of its windows."""
    windows = samples[: len(samples) // WINDOW_SAMPLES * WINDOW_SAMPLES].reshape(-1, WINDOW_SAMPLES)
    if not len(windows):
        return 0.0
    levels = np.sqrt(np.mean(np.square(windows), axis=1))
    loud = np.percentile(levels, 95)
    voiced = int(np.count_nonzero(levels > _QUIET * loud))
    return voiced * WINDOW_SAMPLES / RATE_HZ


def _chosen(belief: LanguageBelief, language: str) -> Decision:
    return Decision(language, {language: 1.0}, Reason.CHOSEN, belief)


def _is_in_another(transcript: Transcript, decision: Decision) -> bool:
    """A request for another language is itself in the language that it was heard in."""
    return decision.reason is not Reason.REQUESTED and transcript.language != decision.language


def _is_usable(again: Transcript, first: Transcript, low_confidence: float) -> bool:
    """Words of another language make no sense in this one: the first transcript says more then."""
    if not again.text:
        return False
    is_clear = again.mean_token_probability >= low_confidence
    return is_clear or first.mean_token_probability < low_confidence
