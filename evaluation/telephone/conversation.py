"""A call of two turns: a question, another one over its answer, and what came of both."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.caller import CallFailed, Spoken
from evaluation.metrics.errors import compare
from evaluation.normalisers import normalise
from evaluation.recording import Pcm
from evaluation.scenarios.words import words_by_language
from evaluation.speech import synthesize
from evaluation.telephone.line import telephone_band
from evaluation.telephone.phone import Phone
from server.g711 import RATE_HZ

PAUSE_SECONDS = 1.0
LISTEN_SECONDS = 0.8  # to the first answer, before the caller interrupts it
CALM_SECONDS = 1.5  # without a sound, after which an answer is over
ANSWER_SECONDS = 30.0

MAXIMUM_ERROR_RATE = 0.35  # of the words of one sentence, on a line that is poor by design
FALL_SILENT_SECONDS = 2.5  # from the first word of an interruption
_SILENCE_PEAK = 330  # of 32768
_SILENCE = round(0.3 * RATE_HZ)  # that is no pause between two words


@dataclass(frozen=True, slots=True)
class Script:
    """What the caller says."""

    language: str
    first: str
    second: str  # over the answer to the first
    expects: str  # a word of the right answer to the second


@dataclass(frozen=True, slots=True)
class Turn:
    """One of the two, as the caller and the server's record have it."""

    said: str
    record: Mapping[str, Any] = field(default_factory=dict)
    first_sound_ms: float | None = None  # from the caller's last word, at the caller's ear
    heard: Pcm | None = None  # what the caller heard of the answer, int16[n] at 8 kHz
    silent_after_ms: float | None = None  # from the first word of an interruption of this answer
    error_rate: float = 0.0  # of the server's transcript, by words


def script(language: str) -> Script:
    """The language's own, from the scenarios."""
    first, second, expects = words_by_language()[language].corrections[1]
    return Script(language, first, second, expects)


class TurnLog:
    """The latency records that a server writes into its log, as JSON lines."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._num_before = len(list(self._records()))

    async def records(self, num: int, seconds: float) -> list[dict[str, Any]]:
        """Those since then, waiting for `num` of them."""
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            records = list(self._records())[self._num_before :]
            if len(records) >= num or asyncio.get_running_loop().time() > deadline:
                return records
            await asyncio.sleep(0.1)

    def _records(self) -> Iterator[dict[str, Any]]:
        for line in self._path.read_text(encoding="utf-8").splitlines():
            if '"message": "turn"' in line:
                yield json.loads(line)


async def hold(phone: Phone, script: Script, log: TurnLog) -> list[Turn]:
    """Speak, interrupt, and hear the second answer out. Raises `CallFailed`."""
    speech = [
        telephone_band(await asyncio.to_thread(synthesize, text, script.language, RATE_HZ))
        for text in (script.first, script.second)
    ]
    await phone.rest_until(phone.now_seconds + PAUSE_SECONDS)
    first = phone.speak(speech[0])
    await phone.rest_until(first.end_seconds)
    begun = await phone.wait_for(
        lambda: phone.sound_until(first.end_seconds) is not None,
        first.end_seconds + ANSWER_SECONDS,
    )
    if not begun:
        raise CallFailed("no answer to the first question was heard")
    await phone.rest_until(phone.now_seconds + LISTEN_SECONDS)
    second = phone.speak(speech[1])
    await phone.rest_until(second.end_seconds)
    records = await log.records(2, ANSWER_SECONDS)  # the second comes when all has been sent
    await phone.hear_out(second.end_seconds, ANSWER_SECONDS, CALM_SECONDS)
    return _turns(phone, script, (first, second), records)


def _turns(
    phone: Phone, script: Script, spoken: tuple[Spoken, Spoken], records: list[dict[str, Any]]
) -> list[Turn]:
    first, second = spoken
    fell_silent = silent_from(phone.playback.to_samples(), second.start_seconds)
    over = max(fell_silent, second.end_seconds)  # from then on it is the second answer
    return [
        Turn(
            script.first,
            records[0] if records else {},
            _ms(phone.playback.first_sound_after(first.end_seconds), first.end_seconds),
            _stretch(phone, first.end_seconds, fell_silent),
            _ms(fell_silent, second.start_seconds),
            error_rate(script.first, _heard(records[:1]), script.language),
        ),
        Turn(
            script.second,
            records[1] if len(records) > 1 else {},
            _ms(phone.playback.first_sound_after(over), second.end_seconds),
            _stretch(phone, over, phone.now_seconds),
            None,
            error_rate(script.second, _heard(records[1:2]), script.language),
        ),
    ]


def silent_from(heard: Pcm, since_seconds: float) -> float:
    """When the sound that plays at `since_seconds` ends for longer than between two words."""
    step, start = RATE_HZ // 100, round(since_seconds * RATE_HZ)
    end = start  # of the sound
    for position in range(start, len(heard), step):
        if np.abs(heard[position : position + step].astype(int)).max() > _SILENCE_PEAK:
            end = position + step
        elif position - end > _SILENCE:
            break
    return end / RATE_HZ


def problems(script: Script, turns: list[Turn], understood: str) -> list[str]:
    """What was not as it should be; nothing when the call was right.

    `understood` is what a recognizer makes of the second answer as the caller heard it.
    """
    first, second = turns
    found = [
        f"{name} question: {problem}"
        for name, turn in (("first", first), ("second", second))
        for problem in _problems(script.language, turn)
    ]
    if first.record.get("status") != "cancelled":
        found.append("the first answer was not interrupted")
    if first.silent_after_ms is None or first.silent_after_ms > 1000 * FALL_SILENT_SECONDS:
        found.append(f"the first answer went on for {first.silent_after_ms} ms")
    if second.record.get("status") != "completed":
        found.append("the second answer was not completed")
    not_understood = error_rate(str(second.record.get("answer", "")), understood, script.language)
    if not_understood > MAXIMUM_ERROR_RATE:
        found.append(f"{not_understood:.0%} of the second answer cannot be understood")
    if script.expects not in str(second.record.get("answer", "")).casefold():
        found.append(f"the second answer does not say {script.expects!r}")
    return found


def _problems(language: str, turn: Turn) -> Iterator[str]:
    if not turn.record:
        yield "the server has no record of it"
    elif turn.record["language"] != language:
        yield f"taken for {turn.record['language']}"
    if turn.error_rate > MAXIMUM_ERROR_RATE:
        yield f"{turn.error_rate:.0%} of its words are wrong in the transcript"
    if turn.first_sound_ms is None:
        yield "nothing was heard of its answer"


def error_rate(said: str, heard: str, language: str) -> float:
    """The share of the words that were not understood."""
    (comparison,) = compare([normalise(said, language)], [normalise(heard, language)])
    return comparison.errors.rate


def _heard(records: list[dict[str, Any]]) -> str:
    return str(records[0]["heard"]) if records else ""


def _stretch(phone: Phone, start_seconds: float, end_seconds: float) -> Pcm:
    start, end = round(start_seconds * RATE_HZ), round(end_seconds * RATE_HZ)
    return phone.playback.between(start, max(0, end - start))


def _ms(seconds: float | None, since_seconds: float) -> float | None:
    return None if seconds is None else round(1000 * (seconds - since_seconds), 1)
