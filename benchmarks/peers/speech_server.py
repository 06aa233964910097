"""An OpenAI-compatible speech endpoint over Piper, since speech-to-speech has no Piper of its own.

    python speech_server.py PORT VOICE_FOLDER

VOICE_FOLDER holds voice.onnx and voice.onnx.json. Answers with raw PCM16 at 16 kHz, the rate of
speech-to-speech's pipeline, sentence by sentence: its own resampler needs minutes for a second of
22,050 Hz.
Runs in the environment of speech-to-speech.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soxr
import uvicorn
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from piper import PiperVoice
from pydantic import BaseModel

RATE_HZ = 16_000


class SpeechRequest(BaseModel):
    """What is used of OpenAI's request; the rest is ignored."""

    input: str


def main(port: str, folder: str) -> None:
    """Serve until told to stop."""
    voice = PiperVoice.load(Path(folder) / "voice.onnx")
    app = FastAPI()

    @app.get("/readyz")
    def ready() -> str:
        return "ready"

    @app.post("/v1/audio/speech")
    def speech(request: SpeechRequest) -> StreamingResponse:
        def chunks() -> Iterator[bytes]:
            for chunk in voice.synthesize(request.input):
                samples = np.frombuffer(chunk.audio_int16_bytes, np.int16)
                yield soxr.resample(samples, chunk.sample_rate, RATE_HZ).tobytes()

        return StreamingResponse(chunks(), media_type="audio/pcm")

    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning")


if __name__ == "__main__":
    main(*sys.argv[1:])
