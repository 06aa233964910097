"""Whether a caller was answered rightly: the answer as it sounded, written down by a recognizer.

The starter recognizer does not know every word of the answers ("Paris"), so that one counts for
the answer of the domain that it is nearest to, letter for letter.
"""

import re
import wave
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
from faster_whisper import WhisperModel

from benchmarks.results import Exchange
from engines.stt.windows import RATE_HZ
from evaluation.caller import RATE_HZ as LINE_HZ
from scripts.train_starter.domain import sentences
from scripts.train_starter.domain.answers import Assistant
from server.audio import samples_from_int16
from server.resampling import resample


def expected_answers(language: str = "en") -> dict[str, str]:
    """What the starter models' domain answers to each of its sentences, said first in a call."""
    spoken = [one for group in sentences(language, "train").values() for one in group]
    answers = {one.text: Assistant().answer(one, language) for one in spoken}
    return {said: answer for said, answer in answers.items() if isinstance(answer, str)}


class Judge:
    """Hears what callers heard."""

    def __init__(self, stt_folder: Path) -> None:
        self._whisper = WhisperModel(str(stt_folder), device="cpu", compute_type="int8")
        self._expected = expected_answers()

    def is_right(self, exchange: Exchange, recording: Path) -> bool:
        """Whether of all the domain's answers none is nearer than that to what was said."""
        return self.nearest(self.heard(recording)) == self._expected[exchange.said]

    def nearest(self, heard: str) -> str:
        """The answer of the domain that sounds most like this."""
        matcher = SequenceMatcher(b=" ".join(words(heard)), autojunk=False)

        def likeness(answer: str) -> float:
            matcher.set_seq1(" ".join(words(answer)))
            return matcher.ratio()

        return max(dict.fromkeys(self._expected.values()), key=likeness)

    def heard(self, recording: Path) -> str:
        """The words of a recording at the callers' rate."""
        with wave.open(str(recording), "rb") as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
        speech = resample(samples_from_int16(samples), LINE_HZ, RATE_HZ)
        segments, _ = self._whisper.transcribe(speech, language="en", without_timestamps=True)
        return " ".join(segment.text.strip() for segment in segments)


def words(text: str) -> list[str]:
    """In lower case, without punctuation."""
    return re.findall(r"[^\W_]+", text.lower())
