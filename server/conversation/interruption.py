"""Is the sound of the caller, while the server has the turn, speech that wants the floor?

A chain, not a switch. At the first sound the answer is held, which is cheap and can be undone. Then
what the caller says is transcribed, at `Priority.INTERRUPTION`, and judged in stages:

- soon: every 0.2 s; only clear words decide here, and the clearer the sooner;
- early: from 0.8 s on. Words of a language take the floor; a noise, an echo of our own voice or a
  backchannel ("mm-hmm") gives it back, and the answer goes on where it was held; words that are
  unclear wait for the long stage, and so do those of a sound that has just stopped short of 0.8 s;
- long: a sound that is still speech at 1.0 s (voiced throughout, in syllables) and holds several
  words takes the floor however unclear they are: a recognizer that does not know a voice, or what
  is said, hears wrong words without confidence, but hears words;
- strict: a sound that goes on while the answer does is judged once more at 2.0 s, with a higher
  bar;
- pause: as soon as the sound stops for a moment, as early. What is not words gives the answer back,
  and so do unclear words; "No," and "Okay," may be all, or the beginning: if the sound goes on, the
  answer is held again, and the chain with it;
- end: when the sound is over, whole words can be heard where half of them were noise at 0.8 s.

After a sound that was nothing, a cooldown keeps what is left of it from starting the chain again.
"""

import math
from collections.abc import Collection
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Any

from engines.stt import Transcript
from server.config import InterruptionConfig
from server.language.words import words_of

LONGEST_BACKCHANNEL_WORDS = 4
_FEWEST_CLEAR_WORDS = 2  # that decide before the early check


class Stage(StrEnum):
    """When a judgement is made."""

    SOON = "soon"
    EARLY = "early"
    LONG = "long"
    STRICT = "strict"
    PAUSE = "pause"  # the sound has stopped; more may follow
    END = "end"  # the sound is over


class Verdict(StrEnum):
    """What the sound is."""

    WORDS = "words"
    BACKCHANNEL = "backchannel"
    ECHO = "echo"
    NOISE = "noise"
    UNDECIDED = "undecided"  # a later stage will tell


_WAITING = frozenset({Stage.SOON, Stage.EARLY, Stage.PAUSE})  # another look follows anyhow


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a judgement rests on."""

    transcript: Transcript
    saying: str  # what the server has said in this answer so far
    backchannels: Collection[str]  # of the transcript's language
    sound_seconds: float = math.inf  # how long the sound was
    is_speech: bool = False  # it is long, and sounds as speech does, whatever the words


def judge(stage: Stage, evidence: Evidence, config: InterruptionConfig) -> Verdict:
    """The verdict of one stage; pure."""
    words = words_of(evidence.transcript.text)
    nothing = _nothing(words, evidence, config)
    if nothing is not None:
        return Verdict.UNDECIDED if stage is Stage.SOON else nothing
    if stage not in _WAITING and evidence.is_speech and len(words) >= config.long_words:
        return Verdict.WORDS
    is_enough = stage is not Stage.SOON or len(words) >= _FEWEST_CLEAR_WORDS
    bar = _confidence_needed(stage, evidence.sound_seconds, config)
    if is_enough and evidence.transcript.mean_token_probability >= bar:
        return Verdict.WORDS
    return Verdict.UNDECIDED if stage in _WAITING else Verdict.NOISE


def _nothing(words: list[str], evidence: Evidence, config: InterruptionConfig) -> Verdict | None:
    """What a sound is that wants nothing; None for words."""
    if not words:
        return Verdict.NOISE
    if is_backchannel(words, evidence.backchannels):
        return Verdict.BACKCHANNEL
    return Verdict.ECHO if _is_echo(words, evidence.saying, config.echo_overlap) else None


def _confidence_needed(stage: Stage, sound_seconds: float, config: InterruptionConfig) -> float:
    """Of words. A recognizer hears some in any hum: those of a brief sound have to be clear."""
    match stage:
        case Stage.STRICT:
            return config.strict_confidence
        case Stage.SOON | Stage.EARLY:  # sinks in the last quarter before so much sound
            share = min(1.0, max(0.0, 4 * sound_seconds / config.early_seconds - 3))
            return config.soon_confidence + share * (
                config.early_confidence - config.soon_confidence
            )
        case Stage.PAUSE | Stage.END if sound_seconds < config.early_seconds:
            return config.brief_confidence
        case _:
            return config.early_confidence


def is_backchannel(words: list[str], backchannels: Collection[str]) -> bool:
    """Whether the words are nothing but backchannels, one after the other; a few are phrases."""
    return not words or any(
        " ".join(words[:length]) in backchannels and is_backchannel(words[length:], backchannels)
        for length in range(1, min(len(words), LONGEST_BACKCHANNEL_WORDS) + 1)
    )


def _is_echo(words: list[str], saying: str, overlap: float) -> bool:
    """Whether the words are, in their order, mostly those that were just said.

    In any order they could be a caller's: "And the capital of Spain?" over "The capital of France
    is Paris."
    """
    blocks = SequenceMatcher(None, words, words_of(saying), autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks) / len(words) >= overlap


@dataclass(slots=True)
class Attempt:
    """One sound of the caller over an answer: its stages, and the verdict on it."""

    began_seconds: float  # in the session's audio time
    stages: list[dict[str, Any]] = field(default_factory=list)
    verdict: Verdict = Verdict.UNDECIDED
    checking: bool = False  # a judgement is in work
    is_over: bool = False  # no more of the sound will come
    _passed: set[Stage] = field(default_factory=set)
    _last_check_seconds: float = 0.0

    @property
    def is_final(self) -> bool:
        """Whether no later stage will judge this sound again."""
        return bool(self._passed & {Stage.STRICT, Stage.END})

    @property
    def is_at_a_pause(self) -> bool:
        """Whether the sound was judged at a pause of it that has not ended."""
        return Stage.PAUSE in self._passed

    def due(
        self, now_seconds: float, config: InterruptionConfig, *, paused: bool, over: bool
    ) -> Stage | None:
        """The stage at which to judge now, if any; `over`: the sound will not go on."""
        if self.checking:
            return None
        if over:
            return None if self.is_final else Stage.END
        if paused:
            return None if Stage.PAUSE in self._passed else Stage.PAUSE
        self._passed.discard(Stage.PAUSE)
        return self._due_in_sound(now_seconds - self.began_seconds, config)

    def _due_in_sound(self, elapsed: float, config: InterruptionConfig) -> Stage | None:
        if elapsed >= config.strict_seconds and Stage.STRICT not in self._passed:
            return Stage.STRICT
        if elapsed >= config.long_seconds and not self._passed & {Stage.LONG, Stage.STRICT}:
            return Stage.LONG
        if self.verdict is not Verdict.UNDECIDED:
            return None
        if elapsed >= config.early_seconds and Stage.EARLY not in self._passed:
            return Stage.EARLY
        if elapsed - self._last_check_seconds >= config.soon_interval_seconds:
            return Stage.EARLY if Stage.EARLY in self._passed else Stage.SOON
        return None

    def note(
        self, stage: Stage, now_seconds: float, verdict: Verdict, transcript: Transcript | None
    ) -> None:
        """A judgement was made, of the sound up to then."""
        self._passed.add(stage)
        self._last_check_seconds = now_seconds - self.began_seconds
        self.checking = False
        self.verdict = verdict
        self.stages.append(
            {
                "stage": stage.value,
                "at_ms": round(1000 * (now_seconds - self.began_seconds)),
                "verdict": verdict.value,
                "heard": transcript.text if transcript else "",
                "confidence": round(transcript.mean_token_probability, 3) if transcript else 0.0,
            }
        )

    def to_wire(self) -> dict[str, Any]:
        """The record of the attempt as JSON."""
        return {"verdict": self.verdict.value, "stages": self.stages}
