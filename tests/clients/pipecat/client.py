"""Pipecat's OpenAI realtime service as it comes: two turns with an interruption, and a tool call.

    python client.py ws://127.0.0.1:8080/v1/realtime FOLDER

FOLDER holds what the caller says: question.pcm, interruption.pcm, booking.pcm (PCM16, 24 kHz).
Runs in an environment of its own; says what happened as JSON on its last line.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from loguru import logger
from pipecat.adapters.llm.schemas.function_schema import FunctionSchema
from pipecat.adapters.llm.schemas.tools_schema import ToolsSchema
from pipecat.frames.frames import (
    EndFrame,
    ErrorFrame,
    Frame,
    InputAudioRawFrame,
    InterruptionFrame,
    LLMFullResponseEndFrame,
    LLMRunFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    TTSTextFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.llm_service import FunctionCallParams
from pipecat.services.openai.realtime.events import (
    AudioConfiguration,
    AudioInput,
    InputAudioTranscription,
    SessionProperties,
    TurnDetection,
)
from pipecat.services.openai.realtime.llm import OpenAIRealtimeLLMService
from pipecat.workers.runner import WorkerRunner

FRAME_SECONDS = 0.02
RATE_HZ = 24_000
PATIENCE_SECONDS = 40.0

BOOK = FunctionSchema(
    name="book_appointment",
    description="Books an appointment at the clinic.",
    properties={
        "day": {"type": "string"},
        "hour": {"type": "string"},
        "service": {"type": "string"},
    },
    required=[],  # the starter model is small: it may leave one out
)


class Ear(FrameProcessor):
    """Notes every frame that passes."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()
        self.said: list[str] = []
        self.heard: list[str] = []
        self.errors: list[str] = []

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        self.counts[type(frame).__name__] += 1
        if isinstance(frame, TTSTextFrame):
            self.said.append(frame.text)
        elif isinstance(frame, TranscriptionFrame):
            self.heard.append(frame.text)
        elif isinstance(frame, ErrorFrame):
            self.errors.append(frame.error)
        await self.push_frame(frame, direction)

    def count(self, kind: type[Frame]) -> int:
        return self.counts[kind.__name__]


class Microphone:
    """Never stops, as a real one."""

    def __init__(self, worker: PipelineWorker, folder: Path) -> None:
        self._worker = worker
        self._folder = folder
        self._waiting = b""

    def say(self, name: str) -> None:
        self._waiting += (self._folder / f"{name}.pcm").read_bytes()

    async def record(self) -> None:
        size = 2 * int(RATE_HZ * FRAME_SECONDS)
        begun, frames = time.monotonic(), 0
        while True:
            audio, self._waiting = self._waiting[:size].ljust(size, b"\0"), self._waiting[size:]
            await self._worker.queue_frame(InputAudioRawFrame(audio, RATE_HZ, 1))
            frames += 1
            await asyncio.sleep(max(0.0, begun + frames * FRAME_SECONDS - time.monotonic()))


async def until(is_there: Callable[[], bool], what: str) -> None:
    """Wait for it, or raise."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not is_there():  # noqa: ASYNC110 (nothing of pipecat's tells of it)
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise TimeoutError(f"not within {PATIENCE_SECONDS:.0f} s: {what}") from None


def realtime_service(url: str) -> OpenAIRealtimeLLMService:
    """The service, told of nothing but the server's address."""
    turn_detection = TurnDetection(type="server_vad", silence_duration_ms=400)
    transcription = InputAudioTranscription(model="whisper-1")
    audio = AudioInput(transcription=transcription, turn_detection=turn_detection)
    return OpenAIRealtimeLLMService(
        api_key="not asked for",
        base_url=url,
        settings=OpenAIRealtimeLLMService.Settings(
            model="tinig",
            system_instruction="You help the callers of a clinic.",
            session_properties=SessionProperties(audio=AudioConfiguration(input=audio)),
        ),
    )


async def main(url: str, folder: Path) -> int:
    calls: list[object] = []
    failures: list[str] = []

    async def book(params: FunctionCallParams) -> None:
        calls.append(dict(params.arguments))
        await params.result_callback({"status": "confirmed"})

    service = realtime_service(url)
    service.register_function("book_appointment", book)
    context = LLMContext(tools=ToolsSchema(standard_tools=[BOOK]))
    aggregators = LLMContextAggregatorPair(context)
    before, after = Ear(), Ear()
    pipeline = Pipeline([aggregators.user(), before, service, after, aggregators.assistant()])
    worker = PipelineWorker(pipeline, params=PipelineParams(audio_in_sample_rate=RATE_HZ))
    microphone = Microphone(worker, folder)

    async def converse() -> None:
        await until(lambda: after.count(LLMFullResponseEndFrame) == 1, "a greeting")
        await asyncio.sleep(3.0)  # hear it out
        sounds = after.count(TTSAudioRawFrame)
        microphone.say("question")
        await until(lambda: after.count(TTSAudioRawFrame) > sounds, "the first answer")
        await asyncio.sleep(0.7)
        interruptions = after.count(InterruptionFrame)
        microphone.say("interruption")
        await until(lambda: after.count(InterruptionFrame) > interruptions, "the interruption")
        await until(lambda: len(before.heard) == 2, "the second transcript")
        ends = after.count(LLMFullResponseEndFrame)
        await until(lambda: after.count(LLMFullResponseEndFrame) > ends, "the second answer's end")
        await asyncio.sleep(1.5)  # hear it out
        ends = after.count(LLMFullResponseEndFrame)
        microphone.say("booking")
        await until(lambda: bool(calls), "the tool call")
        await until(
            lambda: after.count(LLMFullResponseEndFrame) >= ends + 2, "the tool's result, spoken"
        )

    async def scene() -> None:
        await asyncio.sleep(1.0)
        recording = asyncio.create_task(microphone.record())
        try:
            await converse()
        except TimeoutError as error:
            failures.append(str(error))
        recording.cancel()
        await worker.queue_frame(EndFrame())

    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    await worker.queue_frame(LLMRunFrame())
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(scene())
        tasks.create_task(runner.run())
    errors = failures + before.errors + after.errors
    told = {
        "interruptions": after.count(InterruptionFrame),
        "calls": calls,
        "errors": errors,
        "events": sorted(after.counts),
        "said": after.said,
        "heard": before.heard,
    }
    sys.stdout.write(f"{json.dumps(told)}\n")
    return 1 if errors else 0


if __name__ == "__main__":
    logger.remove()
    logger.add(sys.stderr, level="WARNING")
    sys.exit(asyncio.run(main(sys.argv[1], Path(sys.argv[2]))))
