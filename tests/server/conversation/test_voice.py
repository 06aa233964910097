"""Into which pieces an answer is spoken, and what is known of its sound when the voice fails."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pytest

from engines.errors import EngineError
from engines.tts import SpeechChunk, SpeechRequest
from server.events import AnswerText
from server.items import MessageItem
from server.language.languages import Phrase, phrase
from server.settings import Settings
from tests.fakes import Stage
from tests.server.play import Silence, Speech, Step, play
from tests.virtual import virtual_time


@virtual_time
async def test_a_piece_that_broke_off_is_as_long_as_it_came() -> None:
    stage = Stage()
    apology = phrase(Phrase.FAILURE, "en")

    def speak(request: SpeechRequest) -> Sequence[tuple[float, Any]]:
        if request.text == apology:
            return [(0.0, SpeechChunk(np.zeros(24_000 * 6, np.int16), 24_000))]
        second = SpeechChunk(np.zeros(24_000, np.int16), 24_000)
        return [(0.0, second), (0.0, EngineError("The voice failed."))]

    stage.tts.script = speak
    steps: list[Step] = [Speech(1.0), Silence(3.5), Speech(1.5), Silence(0.1)]
    result = await play(stage, steps)
    answers = [
        item.text or ""
        for item in result.session.history.items.values()
        if isinstance(item, MessageItem) and item.role == "assistant"
    ]
    assert answers[0].startswith("The capital of France is Paris. Sorry")
    assert len(answers[0]) < len("The capital of France is Paris. ") + len(apology)


SENTENCES = (
    *("I can help you with that.", " The eye", " doctor", " has time", " on Monday,", " at ten,"),
    *(" and again", " on Friday", " from three", " o'clock."),
)
CLAUSE = " The eye doctor has time on Monday,"


@pytest.mark.parametrize(
    ("token_seconds", "modality", "second"),
    [
        (0.4, "audio", CLAUSE),  # the first sentence is heard by the time that it is there
        (0.02, "audio", "".join(SENTENCES[1:])),
        (0.4, "text", "".join(SENTENCES[1:])),
    ],
)
@virtual_time
async def test_a_clause_is_spoken_before_its_sentence_is_whole_where_silence_would_come(
    token_seconds: float, modality: Literal["audio", "text"], second: str
) -> None:
    stage = Stage(answer=SENTENCES, token_seconds=token_seconds)
    settings = Settings(output_modality=modality)
    result = await play(stage, [Speech(1.0), Silence(12.0)], settings=settings)
    pieces = [event.text for event in result.of(AnswerText)]
    assert pieces[:2] == [SENTENCES[0], second]
    assert "".join(pieces) == "".join(SENTENCES)


@virtual_time
async def test_an_answer_begins_with_its_first_sound_and_keeps_its_later_pauses() -> None:
    stage = Stage(answer=("It opens at nine.", " It closes at five."))
    await play(stage, [Speech(1.0), Silence(5.0), Speech(1.0), Silence(5.0)])
    assert [job.request.ahead_seconds > 0 for job in stage.tts.jobs] == [False, True] * 2
    begins = {job.request.text: job.request.trims_silence for job in stage.tts.jobs}
    assert len(stage.tts.jobs) == 4
    assert begins == {"It opens at nine.": True, "It closes at five.": False}


@virtual_time
async def test_a_voice_that_has_time_and_takes_it_cuts_no_sentence_short() -> None:
    told = ("The clinic opens at nine in the morning.", " It is open today.")
    stage = Stage(answer=(*told, *SENTENCES[1:]), token_seconds=0.2)

    def speak(request: SpeechRequest) -> Sequence[tuple[float, Any]]:
        delay_seconds = 1.5 if request.ahead_seconds > 1.0 else 0.02
        pcm = np.full(24_000 * len(request.text) // 16, 8000, np.int16)
        return [(delay_seconds, SpeechChunk(pcm, 24_000))]

    stage.tts.script = speak
    result = await play(stage, [Speech(1.0), Silence(12.0)])
    pieces = [event.text for event in result.of(AnswerText)]
    assert pieces == [*told, "".join(SENTENCES[1:])]
