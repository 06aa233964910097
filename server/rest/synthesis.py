"""Text as speech at one rate, for answers that are files."""

from collections.abc import AsyncGenerator

from engines.host import Engines
from engines.tts import SpeechRequest
from server.audio import Samples, samples_from_int16
from server.resampling import Resampler


async def synthesize(
    engines: Engines, request: SpeechRequest, rate_hz: int
) -> AsyncGenerator[Samples, None]:
    """float32[n] each, as soon as it is made. Raises `EngineError`."""
    resampler: Resampler | None = None
    async with engines.tts.submit(request) as job:
        async for chunk in job:
            if resampler is None:
                resampler = Resampler(chunk.rate_hz, rate_hz)
            yield resampler.push(samples_from_int16(chunk.samples))
    if resampler is not None:
        yield resampler.flush()
