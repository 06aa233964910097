"""One turn of a conversation, as the caller noticed it, and what was wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from evaluation.caller import Caller, CallFailed, Spoken
from evaluation.language_check import guess_languages
from evaluation.recording import Pcm

ANSWER_TIMEOUT_SECONDS = 30.0
RECORD_TIMEOUT_SECONDS = 2.0
_VERY_SHORT_WORDS = 3  # an answer of so few words may leave its language open

_TRANSCRIBED = "conversation.item.input_audio_transcription.completed"
_ANSWERED = "response.output_audio_transcript.done"

# The steps of a turn that a client is told of, in their order, and what it means to get no further.
_SIGNS = {
    "input_audio_buffer.speech_started": "the server noticed the speech, but not its end",
    "input_audio_buffer.speech_stopped": "the server noticed the end of the speech",
    _TRANSCRIBED: "the server transcribed the speech, but did not answer",
    "response.created": "the server began to answer",
    "response.output_audio.delta": "the answer has audio, but never ended",
    "response.done": "the answer ended, but without being complete",
}


@dataclass(frozen=True, slots=True)
class Turn:
    """What was said, heard and answered. Times are milliseconds from the end of the speech."""

    language: str  # spoken by the caller
    said: str
    heard: str = ""
    heard_language: str = ""  # as the server reports it
    heard_probability: float = 0.0
    answer: str = ""
    milestones_ms: Mapping[str, float] = field(default_factory=dict)  # the server's own record
    voice_to_voice_ms: float | None = None  # to the first sound of the answer, at the caller
    draft: str = ""
    problems: tuple[str, ...] = ()


async def take_turn(
    caller: Caller, language: str, said: str, speech: Pcm, pause_seconds: float = 1.0
) -> Turn:
    """Pause, speak, hear the answer to its end, and judge it.

    `said` is the text of `speech`, int16[n] at `RATE_HZ`. Whatever goes wrong is in `problems`.
    """
    since_seconds = caller.now_seconds
    spoken = caller.speak(speech, after_seconds=pause_seconds)
    failures = []
    try:
        await caller.sleep_until(spoken.end_seconds)
        await caller.hear_answer(since_seconds, ANSWER_TIMEOUT_SECONDS)
        await caller.wait_for(
            lambda: bool(caller.received("tinig.turn", since_seconds)),
            caller.now_seconds + RECORD_TIMEOUT_SECONDS,
        )
    except CallFailed as failure:
        failures = [f"{failure}; {_last_sign(caller, since_seconds)}"]
    turn = _observe(caller, language, said, since_seconds, spoken)
    errors = [
        f"the server reported: {event['error']['message']}"
        for event in caller.received("error", since_seconds)
    ]
    return replace(turn, problems=(*failures, *errors, *_problems_of(turn)))


def _last_sign(caller: Caller, since_seconds: float) -> str:
    """How far the server got, for a turn without an answer."""
    last = "the server did not notice the speech"
    for type_, meaning in _SIGNS.items():
        if caller.received(type_, since_seconds):
            last = meaning
    return last


def _observe(
    caller: Caller, language: str, said: str, since_seconds: float, spoken: Spoken
) -> Turn:
    record = _record(caller, since_seconds)
    probabilities = record.get("language_probabilities", {})
    heard_language = record.get("language", "")
    sound_seconds = caller.playback.first_sound_after(spoken.end_seconds)
    return Turn(
        language=language,
        said=said,
        heard=_joined(caller, _TRANSCRIBED, since_seconds),
        heard_language=heard_language,
        heard_probability=probabilities.get(heard_language, 0.0),
        answer=_joined(caller, _ANSWERED, since_seconds),
        milestones_ms=record.get("milestones_ms", {}),
        voice_to_voice_ms=(
            None if sound_seconds is None else round(1000 * (sound_seconds - spoken.end_seconds), 1)
        ),
        draft=record.get("draft", ""),
    )


def _record(caller: Caller, since_seconds: float) -> Mapping[str, Any]:
    """The server's latency record of the last answer; empty when there is none."""
    records = caller.received("tinig.turn", since_seconds)
    return records[-1]["turn"] if records else {}


def _joined(caller: Caller, type_: str, since_seconds: float) -> str:
    events = caller.received(type_, since_seconds)
    return " ".join(text for event in events if (text := event["transcript"].strip()))


def _problems_of(turn: Turn) -> list[str]:
    """What keeps a turn from being answered in its language with audio."""
    problems = []
    if turn.voice_to_voice_ms is None:
        problems.append("nothing of the answer could be heard")
    if not turn.heard_language:
        problems.append("the server sent no record of the turn")
    elif turn.heard_language != turn.language:
        problems.append(
            f"taken for {turn.heard_language} ({turn.heard_probability:.0%}), "
            f"but it was {turn.language}"
        )
    return problems + _text_problems(turn)


def _text_problems(turn: Turn) -> list[str]:
    if not turn.answer:
        return ["the answer has no text"]
    guesses = guess_languages(turn.answer)
    is_open = not guesses and len(turn.answer.split()) <= _VERY_SHORT_WORDS
    if turn.language in guesses or is_open:
        return []
    read_as = " or ".join(sorted(guesses)) or "no language that we know"
    return [f"the answer reads like {read_as}, not like {turn.language}"]
