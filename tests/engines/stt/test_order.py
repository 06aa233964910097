"""Whose windows go through the model together, and who goes first: a model that only says what it
was given, and the batcher's own scheduler without its thread."""

from collections.abc import Sequence
from typing import Any, cast

import ctranslate2
import numpy as np
import pytest

from engines.batcher import Batcher, Job, Priority
from engines.batcher.scheduler import Scheduler
from engines.config import SttConfig
from engines.stt import SttEngine, SttRequest, Transcript
from engines.stt.whisper import Decoding, Encoded, Mel, Prompt, WhisperModel
from tests.engines.stt.helpers import LANGUAGES, noisy_tone, transcribe

SttJob = Job[SttRequest, Transcript]
BOTH_DEVICES = pytest.mark.parametrize("device", ["cpu", "cuda"])


class WrittenDown:
    """A Whisper that hears one word in everything and keeps the seconds of what it was given."""

    trained_on_short_windows = True
    translates = False
    languages = ("en",)

    def __init__(self, device: str) -> None:
        self.device = device
        self.steps: list[list[int]] = []  # the whole seconds of each encoding's windows
        self.num_spectrograms = 0

    def mel(self, samples: np.ndarray[Any, Any]) -> Mel:
        self.num_spectrograms += 1
        return np.zeros((1, len(samples) // 160), np.float32)

    def encode(self, mels: Sequence[Mel], frames: int) -> Encoded:
        assert all(mel.shape[1] <= frames for mel in mels)
        self.steps.append([round(mel.shape[1] / 100) for mel in mels])
        return cast(Encoded, None)

    def prompt(self, language: str, task: str) -> Prompt:
        return [0, 1, 2, 3]

    def tokens_per_character(self, language: str) -> float:
        return 1.0

    def generate(
        self, encoded: Encoded, prompts: Sequence[Prompt], max_new_tokens: int, temperature: float
    ) -> list[Decoding]:
        return [Decoding((1,), "yes", -0.1, 0.0) for _ in prompts]


class Desk:
    """An engine on such a model, and who is waiting for it."""

    def __init__(self, device: str, max_batch: int = 24) -> None:
        self.model = WrittenDown(device)
        engine = SttEngine(SttConfig(device="cpu", max_batch=max_batch))
        engine._model = cast(WhisperModel, self.model)
        engine._short_windows = True
        self._batcher: Batcher[SttRequest, Transcript] = Batcher("stt", engine)
        self._scheduler: Scheduler[SttRequest, Transcript] = Scheduler(
            "stt", engine, lambda emitted: None, lambda jobs, error: None
        )

    @property
    def is_idle(self) -> bool:
        return self._scheduler.is_idle

    def ask(self, seconds: float, priority: Priority = Priority.ANSWER) -> SttJob:
        request = SttRequest(np.zeros(round(seconds * 16_000), np.float32), ("en",))
        job = self._batcher.submit(request, priority=priority)
        self._scheduler.add([job])
        return job

    def step(self) -> list[list[int]]:
        """What is encoded in the next step."""
        before = len(self.model.steps)
        self._scheduler.drop_cancelled()
        self._scheduler.admit()
        self._scheduler.step()
        return self.model.steps[before:]

    def steps(self) -> list[list[int]]:
        """What is encoded until nobody waits, an encoding a step."""
        before = len(self.model.steps)
        while not self.is_idle:
            assert len(self.step()) == 1
        return self.model.steps[before:]


@BOTH_DEVICES
def test_who_was_first_has_the_result_before_others_of_another_length_begin(device: str) -> None:
    desk = Desk(device)
    short, long, alike = desk.ask(1), desk.ask(9), desk.ask(1)
    assert desk.step() == [[1, 1]]
    assert (short.finished, long.finished, alike.finished) == (True, False, True)
    assert desk.step() == [[9]]
    assert long.finished


@BOTH_DEVICES
def test_a_question_about_an_interruption_goes_before_what_waits_already(device: str) -> None:
    desk = Desk(device)
    for seconds in (1, 6, 18):
        desk.ask(seconds)
    assert desk.step() == [[1]]
    desk.ask(1.6, Priority.INTERRUPTION)
    assert desk.steps() == [[2], [6], [18]]


@BOTH_DEVICES
def test_a_long_recording_lets_everybody_pass_between_its_windows(device: str) -> None:
    desk = Desk(device)
    recording = desk.ask(100)
    assert desk.step()[0][0] > 13
    shorts = [desk.ask(seconds) for seconds in (1, 6)]
    assert desk.step() == [[1]]
    assert desk.step() == [[6]]
    assert all(job.finished for job in shorts)
    while not desk.is_idle:
        desk.step()
    assert recording.finished


def test_what_is_left_of_recordings_lets_later_words_pass() -> None:
    desk = Desk("cpu", max_batch=6)
    recordings = [desk.ask(100) for _ in range(4)]
    assert all(desk.step()[0][0] > 13 for _ in recordings)
    assert desk.step()[0][0] > 13  # they go on, one after another
    for _ in range(5):
        final = desk.ask(1)
        assert desk.step() == [[1]]
        assert final.finished


@BOTH_DEVICES
@pytest.mark.parametrize("waits", [Priority.ANSWER, Priority.CONTINUATION])
def test_a_long_recording_goes_on_however_many_come(device: str, waits: Priority) -> None:
    desk = Desk(device)
    recording = desk.ask(60, waits)
    for _ in range(200):
        desk.ask(1, Priority.INTERRUPTION)
        desk.step()
    assert recording.finished


def test_long_windows_go_one_at_a_time_on_a_cpu_where_a_step_takes_as_long_as_all() -> None:
    desk = Desk("cpu", max_batch=6)
    for _ in range(3):
        desk.ask(28)
    assert desk.step() == [[28]]
    for _ in range(3):
        desk.ask(1)
    assert desk.step() == [[28]]
    assert desk.steps() == [[28], [1, 1, 1]]


def test_final_transcripts_partial_ones_and_files_share_no_step_on_a_gpu() -> None:
    desk = Desk("cuda")
    for priority in (Priority.OFFLINE, Priority.PARTIAL, Priority.ANSWER):
        for _ in range(2):
            desk.ask(int(priority) + 1, priority)
    assert desk.steps() == [[2, 2], [4, 4], [5, 5]]


def test_at_most_four_partial_transcripts_share_a_step_on_a_gpu() -> None:
    desk = Desk("cuda")
    for _ in range(6):
        desk.ask(2, Priority.PARTIAL)
    assert desk.step() == [[2, 2, 2, 2]]
    desk.ask(1)
    assert desk.steps() == [[1], [2, 2]]


@pytest.mark.parametrize("waits", [Priority.PARTIAL, Priority.OFFLINE])
def test_nobody_who_has_a_place_waits_for_ever_on_a_gpu(waits: Priority) -> None:
    desk = Desk("cuda")
    job = desk.ask(9, waits)
    for _ in range(200):
        desk.ask(1)
        desk.step()
    assert job.finished


@BOTH_DEVICES
def test_no_spectrogram_is_made_twice(device: str) -> None:
    desk = Desk(device)
    for seconds in (1, 5, 13, 27, 1):
        desk.ask(seconds)
    desk.steps()
    assert desk.model.num_spectrograms == 5


def test_what_was_padded_for_others_is_not_when_it_goes_alone() -> None:
    desk = Desk("cuda")
    encodings: list[int] = []
    encode = desk.model.encode

    def recording(mels: Sequence[Mel], frames: int) -> Encoded:
        encodings.append(frames)
        return encode(mels, frames)

    desk.model.encode = recording  # type: ignore[method-assign]
    desk.ask(28)
    left, stays = desk.ask(9), desk.ask(5)
    desk.step()
    left.cancel()
    desk.step()
    assert encodings == [2900, 600]
    assert stays.finished


def test_an_encoded_batch_is_copied_once_for_all_of_its_words(
    engine: SttEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies: list[int] = []
    array = np.array

    def counting(given: Any, *arguments: Any, **options: Any) -> Any:
        if isinstance(given, ctranslate2.StorageView):
            copies.append(given.shape[0])
        return array(given, *arguments, **options)

    monkeypatch.setattr("engines.stt.whisper.np.array", counting)
    requests = [SttRequest(noisy_tone(3, seed), LANGUAGES, word_times=True) for seed in range(3)]
    together = transcribe(engine, *requests)
    assert copies == [3]
    alone = [transcribe(engine, request)[0] for request in requests]
    assert copies == [3]
    assert together == alone
    assert all(transcript.words for transcript in together)
