"""The engine on its thread, with real voices."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engines.batcher import Batcher, Job, Priority
from engines.batcher.scheduler import Emitted, Scheduler
from engines.errors import EngineError, ModelError
from engines.tts import SpeechChunk, SpeechRequest, TtsConfig, TtsEngine, VoiceConfig
from engines.tts.espeak import EspeakVoice
from engines.tts.voice import Samples

MODEL = str(Path(__file__).parent / "data" / "tiny_vits.onnx")
VOICES = (
    VoiceConfig("en", "piper", MODEL, name="tiny"),
    VoiceConfig("en", "piper", MODEL, speaker="right", name="right"),
    VoiceConfig("fr", "espeak", "+f3", name="claire"),
)
LONG_TEXT = "This is a sentence that goes on for a while, and then it stops. " * 40

TtsBatcher = Batcher[SpeechRequest, SpeechChunk]


class LoadedOnce(TtsEngine):
    """Spares every test but the first the loading."""

    def load(self) -> None:
        if not self.loaded:
            super().load()


@pytest.fixture(scope="module")
def engine() -> TtsEngine:
    return LoadedOnce(TtsConfig(VOICES, device="cpu", threads=1))


@pytest.fixture
def two_threads() -> TtsEngine:
    engine = TtsEngine(TtsConfig((), threads=2))
    engine.load()
    return engine


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Until it is set, eSpeak NG takes to say "held"; of any other text there is sound at once."""
    held = threading.Event()

    def speak(voice: EspeakVoice, text: str, speed: float) -> Iterator[Samples]:
        while True:
            if text == "held":
                assert held.wait(10.0)
            yield np.ones(round(0.1 * voice.rate_hz), np.int16)

    monkeypatch.setattr(EspeakVoice, "speak", speak)
    yield held
    held.set()


@pytest.fixture
async def batcher(engine: TtsEngine) -> AsyncIterator[TtsBatcher]:
    batcher: TtsBatcher = Batcher("tts", engine)
    async with batcher:
        yield batcher
    assert batcher.failure is None


async def speak(batcher: TtsBatcher, request: SpeechRequest) -> list[SpeechChunk]:
    async with batcher.submit(request) as job:
        return [chunk async for chunk in job]


def started(engine: TtsEngine, texts: Sequence[str]) -> list[Job[SpeechRequest, SpeechChunk]]:
    """Jobs of an engine whose steps the test makes itself."""
    at_rest: TtsBatcher = Batcher("tts", engine)
    jobs = [at_rest.submit(SpeechRequest(text, "es")) for text in texts]
    assert all(engine.start(job) for job in jobs)
    return jobs


def advance(engine: TtsEngine, jobs: list[Job[SpeechRequest, SpeechChunk]]) -> list[int]:
    """Step until more is out; chunks of each job by then."""
    before = [len(job.emitted) for job in jobs]
    while (heard := [len(job.emitted) for job in jobs]) == before:
        engine.step([job for job in jobs if job.state is not None])
    return heard


def seconds(chunks: list[SpeechChunk]) -> float:
    return sum(len(chunk.samples) / chunk.rate_hz for chunk in chunks)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Good morning, how are you?"),
        ("es", "Buenos días, ¿cómo está usted?"),
        ("fr", "Bonjour, comment allez-vous ?"),
        ("hi", "नमस्ते, आप कैसे हैं?"),
        ("tl", "Magandang umaga, kumusta po kayo?"),
    ],
)
async def test_every_language_speaks(batcher: TtsBatcher, language: str, text: str) -> None:
    chunks = await speak(batcher, SpeechRequest(text, language, voice="espeak"))
    assert 1.0 < seconds(chunks) < 4.0
    assert all(chunk.samples.dtype == np.int16 for chunk in chunks)
    assert 0.04 <= len(chunks[0].samples) / chunks[0].rate_hz <= 0.1


async def test_first_voice_of_a_language_is_its_default(batcher: TtsBatcher) -> None:
    default = await speak(batcher, SpeechRequest("Hello there, my friend.", "en"))
    assert len(default[0].samples) == 16 * 256  # the cut decoder's first frames
    assert seconds(await speak(batcher, SpeechRequest("Bonjour.", "fr"))) > 0.3
    assert seconds(await speak(batcher, SpeechRequest("Bonjour.", "fr", "claire"))) > 0.3


@pytest.mark.parametrize("text", ["", "   ", "...", "?!", "—"])
async def test_nothing_to_say_ends_without_audio(batcher: TtsBatcher, text: str) -> None:
    for language in ("en", "es", "tl"):
        assert await speak(batcher, SpeechRequest(text, language)) == []


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (SpeechRequest("Hallo.", "de"), "No voice speaks 'de'.*en, es, fr, hi, tl"),
        (SpeechRequest("Hello.", "en", "nobody"), "'nobody'.*tiny, right, espeak"),
        (SpeechRequest("Hello.", "en", speed=0.0), r"0\.25 to 4"),
        (SpeechRequest("Hello.", "en", speed=float("nan")), r"0\.25 to 4"),
    ],
)
async def test_bad_request_fails_alone(
    batcher: TtsBatcher, request_: SpeechRequest, message: str
) -> None:
    async with batcher.submit(SpeechRequest(LONG_TEXT, "es")) as other:
        with pytest.raises(EngineError, match=message):
            await speak(batcher, request_)
        num_samples = sum([len(chunk.samples) async for chunk in other])
    assert num_samples > 22050 * 60


async def test_speech_begins_with_its_first_sound_where_that_is_asked(batcher: TtsBatcher) -> None:
    def leading_seconds(chunks: list[SpeechChunk]) -> float:
        samples = np.concatenate([chunk.samples for chunk in chunks])
        return float(np.flatnonzero(np.abs(samples) > 330)[0] / chunks[0].rate_hz)

    request = SpeechRequest("Please call back.", "en", "espeak")
    whole = await speak(batcher, request)
    trimmed = await speak(batcher, replace(request, trims_silence=True))
    assert leading_seconds(whole) > 0.04
    assert leading_seconds(trimmed) < 0.02
    assert trimmed[0].marks[0].seconds == pytest.approx(whole[0].marks[0].seconds - 0.035, abs=0.01)


@pytest.mark.parametrize("voice", ["tiny", "espeak"])
async def test_speed_changes_the_length(batcher: TtsBatcher, voice: str) -> None:
    text = "The opening hours are from nine to five. " * 8  # a Piper voice draws its durations
    slow, fast = [
        seconds(await speak(batcher, SpeechRequest(text, "en", voice, speed)))
        for speed in (0.7, 1.8)
    ]
    assert slow > 1.4 * fast


async def test_jobs_are_spoken_side_by_side(batcher: TtsBatcher) -> None:
    async with (
        batcher.submit(SpeechRequest(LONG_TEXT, "en")) as piper,
        batcher.submit(SpeechRequest(LONG_TEXT, "es")) as espeak,
    ):
        first = [await anext(aiter(job)) for job in (piper, espeak)]
        rest = [[chunk async for chunk in job] for job in (piper, espeak)]
    assert all(len(chunk.samples) for chunk in first)
    assert all(seconds(chunks) > 30 for chunks in rest)
    assert 2 in batcher.batch_sizes


def test_who_would_hear_a_gap_first_goes_first(engine: TtsEngine) -> None:
    engine.load()
    jobs = started(engine, [LONG_TEXT] * 2)
    heard = [advance(engine, jobs[::-1])[::-1] for _ in range(4)]
    jobs[0].state.dry_at += 10.0
    heard += [advance(engine, jobs) for _ in range(2)]
    for job in jobs:
        engine.stop(job)
    assert heard == [[0, 1], [1, 1], [1, 2], [2, 2], [2, 3], [2, 4]]


def test_a_sentence_waits_while_what_comes_before_it_is_heard(engine: TtsEngine) -> None:
    engine.load()
    at_rest: TtsBatcher = Batcher("tts", engine)
    requests = [SpeechRequest(LONG_TEXT, "es", ahead_seconds=ahead) for ahead in (60.0, 0.0, 0.01)]
    jobs = [at_rest.submit(request) for request in requests]
    assert all(engine.start(job) for job in jobs)
    heard = [advance(engine, jobs) for _ in range(4)]
    for job in jobs:
        engine.stop(job)
    assert heard[:2] == [[0, 1, 0], [0, 1, 1]]
    assert heard[3][0] == 0


def test_as_many_first_sounds_are_made_at_once_as_there_are_threads(
    two_threads: TtsEngine, held: threading.Event
) -> None:
    jobs = started(two_threads, ["quick"] * 3)
    heard = advance(two_threads, jobs)
    assert heard[2] == 0
    while not all(heard):
        heard = advance(two_threads, jobs)
    for job in jobs:
        two_threads.stop(job)


def test_no_thread_waits_for_a_slower_one(two_threads: TtsEngine, held: threading.Event) -> None:
    slow, quick, late = started(two_threads, ["held", "quick", "late"])
    two_threads.step([slow])
    assert not slow.emitted
    assert not slow.finished
    assert advance(two_threads, [slow, quick]) == [0, 1]
    assert advance(two_threads, [slow, quick, late]) == [0, 1, 1]
    held.set()
    while not slow.emitted:
        two_threads.step([slow, quick, late])
    for job in (slow, quick, late):
        two_threads.stop(job)
    two_threads.assert_idle()


def test_what_is_made_for_a_job_that_was_stopped_goes_nowhere(
    two_threads: TtsEngine, held: threading.Event
) -> None:
    slow, quick = started(two_threads, ["held", "quick"])
    assert advance(two_threads, [slow, quick]) == [0, 1]
    two_threads.stop(slow)
    held.set()
    for _ in range(20):
        advance(two_threads, [slow, quick])
    two_threads.stop(quick)
    assert not slow.emitted
    two_threads.assert_idle()


def test_work_that_nobody_waits_for_holds_up_no_call(two_threads: TtsEngine) -> None:
    at_rest: TtsBatcher = Batcher("tts", two_threads)
    request = SpeechRequest(LONG_TEXT, "es")
    call = at_rest.submit(request, priority=Priority.CONTINUATION)
    others = [at_rest.submit(request, priority=Priority.OFFLINE) for _ in range(3)]
    jobs = [call, *others]
    assert all(two_threads.start(job) for job in jobs)
    assert [advance(two_threads, jobs) for _ in range(2)] == [[1, 0, 0, 0], [2, 0, 0, 0]]
    heard = advance(two_threads, others)
    for job in jobs:
        two_threads.stop(job)
    assert heard[2] == 0


def test_a_first_clause_finds_a_place_however_much_waits(engine: TtsEngine) -> None:
    engine.load()
    at_rest: TtsBatcher = Batcher("tts", engine)
    request = SpeechRequest(LONG_TEXT, "es")
    rest = [at_rest.submit(request, priority=Priority.OFFLINE) for _ in range(40)]
    calls = [at_rest.submit(request, priority=Priority.CONTINUATION) for _ in range(40)]
    first = at_rest.submit(request, priority=Priority.ANSWER)
    heard: list[object] = []

    def note(emitted: Emitted[SpeechRequest, SpeechChunk]) -> None:
        heard.extend(job for job, _ in emitted)

    scheduler = Scheduler("tts", engine, note, lambda jobs, error: None)
    for jobs in (rest, calls):
        scheduler.add(jobs)
        scheduler.admit()
    for _ in range(100):
        scheduler.step()
    assert set(heard) == set(calls)
    scheduler.add([first])
    heard.clear()
    scheduler.admit()
    scheduler.step()
    scheduler.end_all(EngineError("The test is over."))
    assert heard == [first]
    engine.assert_idle()


async def test_callers_whose_speech_is_made_at_once_hear_their_own_words() -> None:
    engine = TtsEngine(TtsConfig(VOICES, device="cpu", threads=4))
    texts = [f"{word} is the day on which we open, and then " * 8 for word in ("Monday", "Friday")]

    async def words(batcher: TtsBatcher, text: str) -> list[int]:
        chunks = await speak(batcher, SpeechRequest(text, "en", "tiny"))
        return [mark.characters for chunk in chunks for mark in chunk.marks]

    batcher: TtsBatcher = Batcher("tts", engine)
    async with batcher:
        alone = [await words(batcher, text) for text in texts]
        together = await asyncio.gather(*(words(batcher, text) for text in texts * 4))
    assert alone[0]
    assert together == alone * 4


async def test_cancelled_job_stops_between_chunks(batcher: TtsBatcher) -> None:
    async with batcher.submit(SpeechRequest(LONG_TEXT * 20, "en")) as job:
        await anext(aiter(job))
    assert len(await speak(batcher, SpeechRequest("Hello.", "en"))) > 0
    assert batcher.pending == 0


async def test_a_voice_that_fails_ends_its_own_job(
    batcher: TtsBatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise RuntimeError("out of breath")

    monkeypatch.setattr("engines.tts.piper_model.CutModel.speak", fail)
    async with batcher.submit(SpeechRequest(LONG_TEXT, "es")) as other:
        with pytest.raises(EngineError, match="out of breath"):
            await speak(batcher, SpeechRequest("Hello.", "en"))
        assert sum([1 async for _ in other]) > 20


def test_loaded_names_each_model_once() -> None:
    engine = TtsEngine(TtsConfig(VOICES, device="cpu"))
    engine.load()
    assert [model.name for model in engine.loaded] == ["Piper tiny_vits", "eSpeak NG"]
    assert all(model.kind == "tts" and model.device == "cpu" for model in engine.loaded)
    assert all(model.megabytes > 0.5 and model.seconds > 0 for model in engine.loaded)
    engine.assert_idle()


@pytest.mark.parametrize(
    ("voice", "message"),
    [
        (VoiceConfig("en", "piper", "/nowhere/voice.onnx"), "voice.onnx is missing"),
        (VoiceConfig("en", "piper", "models/starter/gone.onnx"), "make starter-models"),
        (VoiceConfig("en", "espeak", "elvish"), "no voice named 'elvish'.*tinig.toml"),
        (VoiceConfig("de", "espeak"), "No eSpeak NG voice for 'de'"),
    ],
)
def test_a_voice_that_cannot_be_loaded_says_what_to_do(voice: VoiceConfig, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        TtsEngine(TtsConfig((voice,), device="cpu")).load()


def test_espeak_speaks_languages_beyond_ours_when_named() -> None:
    engine = TtsEngine(TtsConfig((VoiceConfig("de", "espeak", "de"),)))
    engine.load()
    assert engine.loaded


async def test_a_voice_of_another_language_gives_way_to_the_languages_own(
    batcher: TtsBatcher,
) -> None:
    own = await speak(batcher, SpeechRequest("Bonjour.", "fr"))
    other = await speak(batcher, SpeechRequest("Bonjour.", "fr", voice="tiny"))
    assert seconds(own) == seconds(other)
    with pytest.raises(EngineError, match="nobody"):
        await speak(batcher, SpeechRequest("Bonjour.", "fr", voice="nobody"))
