"""What is known of an answer's sound when the voice fails."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from engines.errors import EngineError
from engines.tts import SpeechChunk, SpeechRequest
from server.items import MessageItem
from server.language.languages import Phrase, phrase
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
