"""More calls at once than any other engine lets wait."""

import asyncio
from pathlib import Path

import numpy as np

from engines.vad import WINDOW_SAMPLES, VadRequest
from tests.real_engines import small_engines

NUM_CALLS = 300


async def test_every_call_may_wait_for_the_vad_at_once(tmp_path: Path) -> None:
    window = np.zeros(WINDOW_SAMPLES, np.float32)
    async with small_engines(tmp_path) as engines:
        results = await asyncio.gather(
            *(engines.vad.run(VadRequest(window, None)) for _ in range(NUM_CALLS))
        )
    assert len({round(result.speech_probability, 4) for result in results}) == 1
