"""One latency record per turn, and the counters."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from prometheus_client import Histogram

# Of what a caller feels: about half a second is a good answer, above two the line seems dead.
_BUCKETS_SECONDS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)

# Of what is to be a few milliseconds, and grows without end where the machine cannot keep up.
_LAG_BUCKETS_SECONDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)


class Milestone(StrEnum):
    """The moments of a turn, in the order in which they usually come."""

    SPEECH_END = "speech_end"  # the last voiced window of the caller arrived
    TRANSCRIPT = "transcript"
    TRANSLATED = "translated"  # the question is there in English, for a pivot
    REASONED = "reasoned"  # the notes for a structured answer are made
    FIRST_TOKEN = "first_token"
    FIRST_CLAUSE = "first_clause"
    FIRST_AUDIO_SYNTHESIZED = "first_audio_synthesized"
    ACKNOWLEDGED = "acknowledged"  # a word of patience was on its way to the caller
    TURN_CONFIRMED = "turn_confirmed"  # the silence has lasted: the caller has finished
    FIRST_AUDIO_SENT = "first_audio_sent"


@dataclass(slots=True)
class TurnRecord:
    """What happened in a turn and when. Times are seconds of the event loop's clock."""

    epoch: int
    session_id: str
    response_id: str = ""
    item_id: str = ""
    language: str = ""
    language_probabilities: Mapping[str, float] = field(default_factory=dict)  # of the belief
    language_reason: str = ""  # why this language: chosen, requested, heard, short
    language_guess: str | None = None  # the recognizer's, where it was decoded again in another
    heard: str = ""
    tier: str = ""  # the way to the answer: direct, pivot, structured
    complexity: str = ""  # of the question: simple, moderate, complex
    tier_reasons: tuple[str, ...] = ()
    translator: str = ""  # of the question for a pivot: whisper, nmt, llm
    question_in_english: str = ""  # as a pivot asked it
    fallback: str = ""  # why it went the direct way in the end
    confidence: float = 0.0  # mean token probability of the transcript
    completeness: float | None = None  # probability that the caller had said all; None: not judged
    end_silence_seconds: float | None = None  # that was waited for; None: the client decided
    prompt_tokens: int = 0  # that the model was asked with
    reused_tokens: int = 0  # of them, those that it had read before
    generated_tokens: int = 0  # of the answer, as far as the model has come with it
    answer: str = ""  # the text that was sent to be spoken
    draft: str = ""  # "hit": begun before the end of the turn was certain and used; "" otherwise
    status: str = ""
    times: dict[Milestone, float] = field(default_factory=dict)

    def reach(self, milestone: Milestone, time_seconds: float) -> None:
        """The first time that a milestone is reached is the one that counts."""
        self.times.setdefault(milestone, time_seconds)

    @property
    def milestones_ms(self) -> dict[str, float]:
        """Milliseconds from the end of the caller's speech to each milestone reached."""
        zero = self.times.get(Milestone.SPEECH_END)
        if zero is None:
            return {}
        return {
            milestone.value: round(1000 * (self.times[milestone] - zero), 1)
            for milestone in Milestone
            if milestone in self.times
        }

    def to_wire(self) -> dict[str, Any]:
        """The record as JSON."""
        return {
            "epoch": self.epoch,
            "response_id": self.response_id,
            "item_id": self.item_id,
            "language": self.language,
            "language_probabilities": {
                language: round(probability, 4)
                for language, probability in self.language_probabilities.items()
            },
            "language_reason": self.language_reason,
            "language_guess": self.language_guess,
            "heard": self.heard,
            "tier": self.tier,
            "complexity": self.complexity,
            "tier_reasons": list(self.tier_reasons),
            "translator": self.translator,
            "question_in_english": self.question_in_english,
            "fallback": self.fallback,
            "confidence": round(self.confidence, 4),
            "completeness": _rounded(self.completeness),
            "end_silence_ms": _rounded(self.end_silence_seconds, 1000),
            "prompt_tokens": self.prompt_tokens,
            "reused_tokens": self.reused_tokens,
            "generated_tokens": self.generated_tokens,
            "answer": self.answer,
            "draft": self.draft,
            "status": self.status,
            "milestones_ms": self.milestones_ms,
        }


class TurnKind(NamedTuple):
    """By what turns are counted."""

    status: str
    language: str
    tier: str


class Counters:
    """What has happened since the start of the process, for `/healthz` and `/metrics`."""

    def __init__(self) -> None:
        self.sessions = 0  # open now
        self.requests = 0  # of the REST door, in the making now
        self.turns: Counter[TurnKind] = Counter()
        self.drafts: Counter[str] = Counter()  # hit, missed, dropped
        self.wasted_tokens = 0  # generated for drafts that were missed or dropped
        self.prefills: Counter[str] = Counter()  # by how they ended
        self.interruptions: Counter[str] = Counter()  # by verdict
        self.refused: Counter[str] = Counter()  # full, unauthorized, origin
        self.milestones = Histogram(
            "tinig_turn_milestone_seconds",
            "From the end of the caller's speech to each moment of a turn.",
            ("milestone", "language"),
            buckets=_BUCKETS_SECONDS,
            registry=None,
        )
        self.hearing_lag = Histogram(
            "tinig_hearing_lag_seconds",
            "From the arrival of a caller's audio to the VAD's word on it, where speech pauses, "
            "goes on and ends.",
            buckets=_LAG_BUCKETS_SECONDS,
            registry=None,
        )

    @property
    def turns_by_status(self) -> Counter[str]:
        """Turns, whatever else they were."""
        by_status: Counter[str] = Counter()
        for kind, count in self.turns.items():
            by_status[kind.status] += count
        return by_status

    def note_turn(self, record: TurnRecord) -> None:
        """A turn has ended."""
        self.turns[TurnKind(record.status, record.language, record.tier)] += 1
        for milestone, milliseconds in record.milestones_ms.items():
            if milestone != Milestone.SPEECH_END:
                observed = self.milestones.labels(milestone, record.language)
                observed.observe(milliseconds / 1000)


def _rounded(value: float | None, factor: float = 1.0) -> float | None:
    return None if value is None else round(factor * value, 4)
