"""The STT engine on models of random weights in the true format."""

import asyncio
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from faster_whisper import WhisperModel as FasterWhisperModel

from engines.batcher import Batcher, Priority
from engines.config import SttConfig
from engines.errors import EngineError
from engines.stt import SttEngine, SttRequest, Transcript
from tests.engines.stt.helpers import LANGUAGES, ask, make_engine, noisy_tone, step_job, transcribe
from tests.tiny_whisper import edit_config, write_random_whisper


def refuse_socket(*arguments: object, **options: object) -> None:
    raise AssertionError("a socket was opened")


def record_frames(engine: SttEngine, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The padded frames of every encoding from now on."""
    frames: list[int] = []
    encode = engine._model.encode

    def recording(mels: Any, padded: int) -> Any:
        frames.append(padded)
        return encode(mels, padded)

    monkeypatch.setattr(engine._model, "encode", recording)
    return frames


# The model


def test_the_random_model_is_one_that_faster_whisper_loads(whisper_directory: Path) -> None:
    model = FasterWhisperModel(str(whisper_directory), compute_type="int8", local_files_only=True)
    segments, info = model.transcribe(noisy_tone(2), beam_size=1, temperature=0.0)
    list(segments)
    assert info.language in {"en", "es", "fr", "hi", "tl"}


def test_it_says_what_it_loaded(engine: SttEngine, short_directory: Path) -> None:
    (loaded,) = engine.loaded
    assert loaded.kind == "stt"
    assert loaded.path == str(short_directory)
    assert loaded.device == "cpu"
    assert loaded.megabytes > 0.1
    assert engine.languages == ("en", "es", "fr", "hi", "tl")
    assert "int8" in str(loaded)


def test_no_socket_is_opened(whisper_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "socket", refuse_socket)
    monkeypatch.setattr(socket, "getaddrinfo", refuse_socket)
    assert transcribe(make_engine(whisper_directory), ask(noisy_tone(1)))


def test_a_model_of_english_only(tmp_path: Path) -> None:
    engine = make_engine(write_random_whisper(tmp_path, multilingual=False))
    (transcript,) = transcribe(engine, ask(noisy_tone(2), languages=("en",)))
    assert transcript.language_probabilities == {"en": 1.0}
    with pytest.raises(EngineError, match="does not know the language 'es'"):
        transcribe(engine, ask(noisy_tone(1), languages=("en", "es")))


# Batches


def test_a_batch_equals_its_requests_alone(engine: SttEngine) -> None:
    requests = [
        ask(noisy_tone(3, 0)),
        ask(noisy_tone(3, 1), language="fr"),
        ask(noisy_tone(2.95, 2), languages=("tl",)),
        ask(noisy_tone(3, 3), languages=("hi", "en")),
    ]
    together = transcribe(engine, *requests)
    alone = [transcribe(engine, request)[0] for request in requests]
    assert together == alone
    assert len({transcript.text for transcript in together}) > 1
    assert all(transcript.text for transcript in together)


@pytest.mark.parametrize(
    ("device", "encoded"), [("cpu", [200, 300, 400, 2100]), ("cuda", [400, 2100])]
)
def test_lengths_are_padded_to_each_other_where_it_pays(
    device: str, encoded: list[int], engine: SttEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine._model, "device", device)
    frames = record_frames(engine, monkeypatch)
    transcribe(engine, *(ask(noisy_tone(seconds)) for seconds in (1, 2, 2.05, 3, 20)))
    assert frames == encoded


async def test_calls_share_a_step_through_the_batcher(short_directory: Path) -> None:
    engine = SttEngine(SttConfig(str(short_directory), device="cpu"))
    requests = [ask(noisy_tone(2, seed)) for seed in range(12)]
    async with Batcher[SttRequest, Transcript]("stt", engine) as batcher:
        transcripts = await asyncio.gather(*(batcher.run(request) for request in requests))
        assert max(batcher.batch_sizes) > 1
        assert max(batcher.batch_sizes) <= engine.max_batch == 6
    assert all(transcript.audio_seconds == 2.0 for transcript in transcripts)


# Languages


def test_probabilities_are_renormalised_over_the_deployed_languages(engine: SttEngine) -> None:
    samples = noisy_tone(3)
    every, some = transcribe(engine, ask(samples, engine.languages), ask(samples, ("en", "hi")))
    assert set(some.language_probabilities) == {"en", "hi"}
    assert sum(some.language_probabilities.values()) == pytest.approx(1)
    ratio = every.language_probabilities["en"] / every.language_probabilities["hi"]
    here = some.language_probabilities["en"] / some.language_probabilities["hi"]
    assert here == pytest.approx(ratio)


def test_the_likeliest_deployed_language_is_decoded(engine: SttEngine) -> None:
    (transcript,) = transcribe(engine, ask(noisy_tone(3)))
    probabilities = transcript.language_probabilities
    assert transcript.language == max(probabilities, key=probabilities.__getitem__)


def test_a_given_language_is_decoded_and_the_probabilities_are_still_told(
    engine: SttEngine,
) -> None:
    free, given = transcribe(engine, ask(noisy_tone(3)), ask(noisy_tone(3), language="tl"))
    assert given.language == "tl"
    assert given.language_probabilities == pytest.approx(free.language_probabilities)


def test_a_single_language_needs_no_detection(
    engine: SttEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine._model, "language_probabilities", refuse_socket)
    (transcript,) = transcribe(engine, ask(noisy_tone(2), languages=("fr",)))
    assert (transcript.language, transcript.language_probabilities) == ("fr", {"fr": 1.0})


@pytest.mark.parametrize(
    "request_", [ask(noisy_tone(1), ("en", "xx")), ask(noisy_tone(1), language="xx")]
)
def test_an_unknown_language_is_refused_by_name(engine: SttEngine, request_: SttRequest) -> None:
    with pytest.raises(EngineError, match=r"'xx'. It knows: en, es, fr, hi, tl"):
        transcribe(engine, request_)


def test_translating_is_refused_where_the_card_says_that_the_model_cannot(tmp_path: Path) -> None:
    request = ask(noisy_tone(1), task="translate")
    able = make_engine(write_random_whisper(tmp_path / "able"))
    assert transcribe(able, request)[0].audio_seconds == 1.0
    directory = write_random_whisper(tmp_path / "unable")
    (directory / "tinig.json").write_text('{"translate": false}')
    with pytest.raises(EngineError, match="cannot translate"):
        transcribe(make_engine(directory), request)


# Audio that is odd, silent or long


@pytest.mark.parametrize("count", [0, 1, 1599])
def test_audio_without_room_for_a_word_is_empty(engine: SttEngine, count: int) -> None:
    (transcript,) = transcribe(engine, ask(np.zeros(count, np.float32)))
    assert (transcript.text, transcript.rejected_by) == ("", "too_short")
    assert transcript.language in LANGUAGES
    assert sum(transcript.language_probabilities.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    "samples",
    [
        np.full(16000, np.nan, np.float32),
        np.full(16000, np.inf, np.float32),
        np.zeros((2, 16000), np.float32),
        np.zeros(16000, np.int16),
    ],
    ids=["nan", "infinite", "stereo", "int16"],
)
def test_audio_that_is_none_is_refused(engine: SttEngine, samples: Any) -> None:
    with pytest.raises(EngineError, match="one channel of finite float32 samples"):
        transcribe(engine, ask(samples))


def test_no_language_to_choose_from_is_refused(engine: SttEngine) -> None:
    with pytest.raises(EngineError, match="at least one language"):
        transcribe(engine, ask(noisy_tone(1), languages=()))


def test_a_model_that_says_nothing_gives_an_empty_transcript(tmp_path: Path) -> None:
    engine = make_engine(write_random_whisper(tmp_path, end_bias=1e3))
    (transcript,) = transcribe(engine, ask(noisy_tone(2)))
    assert (transcript.text, transcript.rejected_by) == ("", None)
    assert (transcript.mean_token_probability, transcript.no_speech_probability) == (0.0, 1.0)


def test_five_minutes_are_transcribed_window_by_window(
    engine: SttEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = record_frames(engine, monkeypatch)
    (transcript,) = transcribe(engine, ask(noisy_tone(300)), priority=Priority.OFFLINE)
    assert transcript.audio_seconds == 300.0
    assert 11 <= len(frames) <= 18
    assert len(transcript.text.split()) >= 11
    assert 0 < transcript.mean_token_probability < 1
    assert sum(transcript.language_probabilities.values()) == pytest.approx(1)


async def test_an_urgent_job_passes_between_the_windows_of_a_long_one(
    short_directory: Path,
) -> None:
    engine = SttEngine(SttConfig(str(short_directory), device="cpu"))
    async with Batcher[SttRequest, Transcript]("stt", engine) as batcher:
        long = asyncio.create_task(
            batcher.run(ask(noisy_tone(600)), priority=Priority.OFFLINE), name="long"
        )
        async with asyncio.timeout(30):
            while not batcher.batch_sizes:  # noqa: ASYNC110  (a thread brings it about)
                await asyncio.sleep(0.001)
        await batcher.run(ask(noisy_tone(1)))
        assert not long.done()
        assert (await long).audio_seconds == 600.0


# Who shares a step on a CPU


def test_partial_transcripts_wait_for_answers(engine: SttEngine) -> None:
    answer = step_job(engine, ask(noisy_tone(1)), Priority.ANSWER)
    partial = step_job(engine, ask(noisy_tone(1)), Priority.PARTIAL)
    assert engine.start(answer)
    assert not engine.start(partial)
    engine.stop(answer)
    assert engine.start(partial)
    engine.stop(partial)


def test_partial_transcripts_go_one_at_a_time_and_keep_nobody_waiting(engine: SttEngine) -> None:
    first, second, answer = (
        step_job(engine, ask(noisy_tone(1)), priority)
        for priority in (Priority.PARTIAL, Priority.PARTIAL, Priority.ANSWER)
    )
    assert engine.start(first)
    assert not engine.start(second)
    assert engine.start(answer)
    engine.stop(first)
    engine.stop(answer)
    assert engine.start(second)
    engine.stop(second)


def test_a_step_is_for_the_most_urgent_kind(engine: SttEngine) -> None:
    jobs = [
        step_job(engine, ask(noisy_tone(1)), priority)
        for priority in (Priority.OFFLINE, Priority.PARTIAL, Priority.ANSWER, Priority.INTERRUPTION)
    ]
    assert all(engine.start(job) for job in jobs)
    engine.step(sorted(jobs))
    assert [job.finished for job in jobs] == [False, False, True, True]
    for job in jobs:
        engine.stop(job)


@pytest.mark.parametrize("priority", [Priority.CONTINUATION, Priority.OFFLINE])
def test_recordings_take_half_of_the_slots_at_most(engine: SttEngine, priority: Priority) -> None:
    jobs = [step_job(engine, ask(noisy_tone(1)), priority) for _ in range(4)]
    assert [engine.start(job) for job in jobs] == [True, True, True, False]
    with pytest.raises(AssertionError, match="3 STT jobs"):
        engine.assert_idle()


# Windows and guards


def test_windows_are_of_30_seconds_unless_the_model_was_trained_on_less(
    whisper_directory: Path, engine: SttEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    stock = make_engine(whisper_directory, short_windows=None)
    stock_frames = record_frames(stock, monkeypatch)
    transcribe(stock, ask(noisy_tone(1.5)))
    short_frames = record_frames(engine, monkeypatch)
    transcribe(engine, ask(noisy_tone(1.5)))
    assert (stock_frames, short_frames) == ([3000], [200])


def test_a_stock_model_on_short_windows_is_asked_again_with_30_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine(write_random_whisper(tmp_path, only_token="a"))
    frames = record_frames(engine, monkeypatch)
    (transcript,) = transcribe(engine, ask(noisy_tone(2)))
    assert (transcript.text, transcript.rejected_by) == ("", "loop")
    assert frames == [500, 3000, 3000]


def test_a_loop_is_tried_in_halves_then_with_randomness_then_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = write_random_whisper(tmp_path, only_token="a")
    edit_config(directory, short_windows=True)
    engine = make_engine(directory, short_windows=None)
    frames = record_frames(engine, monkeypatch)
    (transcript,) = transcribe(engine, ask(noisy_tone(20)))
    assert (transcript.text, transcript.rejected_by) == ("", "loop")
    assert frames[0] == 2100
    assert frames[1] == frames[2] <= 1100


def test_a_partial_transcript_is_tried_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine(write_random_whisper(tmp_path, only_token="a"))
    frames = record_frames(engine, monkeypatch)
    (transcript,) = transcribe(engine, ask(noisy_tone(2)), priority=Priority.PARTIAL)
    assert transcript.rejected_by == "loop"
    assert frames == [500]


def test_more_than_anyone_can_say_is_rejected(tmp_path: Path) -> None:
    engine = make_engine(write_random_whisper(tmp_path, end_bias=-1e3))
    (transcript,) = transcribe(engine, ask(noisy_tone(0.5), languages=("en",)))
    assert (transcript.text, transcript.rejected_by) == ("", "too_many_tokens")


def test_improbable_text_where_nobody_speaks_is_rejected(tmp_path: Path) -> None:
    directory = write_random_whisper(tmp_path, no_speech_bias=50, logit_scale=0.05, end_bias=0)
    (transcript,) = transcribe(make_engine(directory), ask(noisy_tone(2)))
    assert (transcript.text, transcript.rejected_by) == ("", "no_speech")
    assert transcript.no_speech_probability > 0.9
    assert transcript.mean_token_probability < 0.2


# Translation of what was just transcribed


def test_one_more_decode_translates_and_nothing_is_encoded_again(
    engine: SttEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = record_frames(engine, monkeypatch)
    asked: list[tuple[str, str]] = []

    def wanted(text: str, language: str) -> bool:
        asked.append((text, language))
        return True

    request = SttRequest(noisy_tone(2), LANGUAGES, "es", is_translated=wanted)
    (transcript,) = transcribe(engine, request)
    (translated,) = transcribe(engine, ask(noisy_tone(2), language="es", task="translate"))
    assert asked == [(transcript.text, "es")]
    assert transcript.translation == translated.text
    assert len(frames) == 2  # one for each of the two requests


def test_only_what_is_wanted_is_translated(engine: SttEngine) -> None:
    wanted = SttRequest(noisy_tone(2), LANGUAGES, "es", is_translated=lambda text, language: True)
    unwanted = SttRequest(
        noisy_tone(2, seed=1), LANGUAGES, "hi", is_translated=lambda text, language: False
    )
    first, second, plain = transcribe(engine, wanted, unwanted, ask(noisy_tone(2, seed=2)))
    assert first.translation
    assert second.translation is None
    assert plain.translation is None


def test_a_model_that_cannot_translate_only_transcribes(tmp_path: Path) -> None:
    directory = write_random_whisper(tmp_path)
    edit_config(directory, translate=False)
    request = SttRequest(noisy_tone(2), LANGUAGES, "es", is_translated=lambda text, language: True)
    (transcript,) = transcribe(make_engine(directory), request)
    assert transcript.text
    assert transcript.translation is None
