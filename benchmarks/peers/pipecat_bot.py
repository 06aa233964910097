"""A voice agent of pipecat as its quickstart puts one together, a call at a time over a websocket.

    python pipecat_bot.py PORT WHISPER_FOLDER VOICE_FOLDER LLM_URL TURNS INSTRUCTIONS

Binary messages are PCM16 mono at 24 kHz both ways; the text "interrupt" means: stop playing.
VOICE_FOLDER holds voice.onnx and voice.onnx.json. TURNS: "smart" ends a turn by Smart Turn,
"timeout" by silence alone. Runs in an environment of its own.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from fastapi import FastAPI, WebSocket
from loguru import logger
from pipecat.audio.utils import create_stream_resampler
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.frames.frames import Frame, InputAudioRawFrame, InterruptionFrame, OutputAudioRawFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    LLMContextAggregatorPair,
    LLMUserAggregatorParams,
)
from pipecat.serializers.base_serializer import FrameSerializer
from pipecat.services.openai.llm import OpenAILLMService
from pipecat.services.piper.tts import PiperTTSService
from pipecat.services.whisper.stt import WhisperSTTService
from pipecat.transcriptions.language import Language
from pipecat.transports.websocket.fastapi import FastAPIWebsocketParams, FastAPIWebsocketTransport
from pipecat.turns.user_stop import SpeechTimeoutUserTurnStopStrategy
from pipecat.turns.user_turn_strategies import UserTurnStrategies
from pipecat.workers.runner import WorkerRunner

LINE_HZ = 24_000
PIPELINE_HZ = 16_000  # pipecat's default for what it hears


class PcmSerializer(FrameSerializer):
    """Plain samples on the line."""

    def __init__(self) -> None:
        super().__init__()
        self._resampler = create_stream_resampler()

    async def serialize(self, frame: Frame) -> str | bytes | None:
        """Audio as it is, an interruption as a word; nothing else is told."""
        if isinstance(frame, InterruptionFrame):
            return "interrupt"
        return frame.audio if isinstance(frame, OutputAudioRawFrame) else None

    async def deserialize(self, data: str | bytes) -> Frame | None:
        """A frame of the microphone."""
        audio = await self._resampler.resample(data, LINE_HZ, PIPELINE_HZ)
        return InputAudioRawFrame(audio, PIPELINE_HZ, 1) if audio else None


@dataclass(frozen=True, slots=True)
class Bot:
    """All of a pipeline but the line, its models loaded."""

    stt: WhisperSTTService
    llm: OpenAILLMService
    tts: PiperTTSService
    aggregators: LLMContextAggregatorPair

    def pipeline(self, transport: FastAPIWebsocketTransport) -> Pipeline:
        """On a line."""
        return Pipeline(
            [
                transport.input(),
                self.stt,
                self.aggregators.user(),
                self.llm,
                self.tts,
                transport.output(),
                self.aggregators.assistant(),
            ]
        )


def load(whisper: str, voice: str, llm_url: str, turns: str, instructions: str) -> Bot:
    """Of the arguments of this program. Every setting that is not named is pipecat's default."""
    by_silence = UserTurnStrategies(stop=[SpeechTimeoutUserTurnStopStrategy()])
    user_params = LLMUserAggregatorParams(
        vad_analyzer=SileroVADAnalyzer(),
        user_turn_strategies=by_silence if turns == "timeout" else None,
    )
    return Bot(
        WhisperSTTService(
            device="cpu",
            compute_type="int8",
            settings=WhisperSTTService.Settings(model=whisper, language=Language.EN),
        ),
        OpenAILLMService(
            api_key="not asked for",
            base_url=llm_url,
            settings=OpenAILLMService.Settings(model="starter", system_instruction=instructions),
        ),
        PiperTTSService(download_dir=Path(voice), settings=PiperTTSService.Settings(voice="voice")),
        LLMContextAggregatorPair(LLMContext(), user_params=user_params),
    )


def main(port: str, *made_of: str) -> None:
    """Serve one call, then wait to be told to stop."""
    bot = load(*made_of)  # before the call, as an agent kept warm
    app = FastAPI()

    @app.get("/readyz")
    async def ready() -> str:
        return "ready"

    @app.websocket("/call")
    async def call(websocket: WebSocket) -> None:
        await websocket.accept()
        params = FastAPIWebsocketParams(
            audio_in_enabled=True, audio_out_enabled=True, serializer=PcmSerializer()
        )
        transport = FastAPIWebsocketTransport(websocket=websocket, params=params)
        worker = PipelineWorker(bot.pipeline(transport))

        @transport.event_handler("on_client_disconnected")
        async def hung_up(_: FastAPIWebsocketTransport, __: WebSocket) -> None:
            await worker.cancel()

        runner = WorkerRunner(handle_sigint=False)
        await runner.add_workers(worker)
        await runner.run()

    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning")


if __name__ == "__main__":
    logger.remove()
    logger.add(sys.stderr, level="INFO")
    main(*sys.argv[1:])
