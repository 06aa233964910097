"""The end of a turn by a model of Smart Turn's signature (`tests/tiny_turn_end.py`)."""

import asyncio
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from engines.batcher import Batcher
from engines.errors import EngineError, ModelError
from engines.turn_end import HEARD_SECONDS, RATE_HZ, TurnEndEngine, TurnEndRequest
from tests.tiny_turn_end import write_model

TurnEndBatcher = Batcher[TurnEndRequest, float]


def sound(seconds: float, level: float) -> np.ndarray:
    noise = np.random.default_rng(1).normal(0, level, round(seconds * RATE_HZ))
    return noise.astype(np.float32)


async def test_the_last_eight_seconds_are_heard_with_silence_in_front(tmp_path: Path) -> None:
    engine = TurnEndEngine(write_model(tmp_path / "turn.onnx"))
    short = sound(2.0, 0.1)
    long = np.concatenate([sound(20.0, 0.3), np.zeros(6 * RATE_HZ, np.float32), short])
    async with TurnEndBatcher("turn end", engine) as batcher:
        first, again, louder, falling = await asyncio.gather(
            batcher.run(TurnEndRequest(short)),
            batcher.run(TurnEndRequest(long)),
            batcher.run(TurnEndRequest(10 * short)),
            batcher.run(TurnEndRequest(np.concatenate([sound(4, 0.1), sound(4, 0.0)]))),
        )
    assert first == pytest.approx(again, abs=1e-5)
    assert first == pytest.approx(louder, abs=1e-3)  # normalised
    assert first > 0.5 > falling
    assert engine.loaded[0].name == "turn"
    assert HEARD_SECONDS == 8


async def test_who_has_given_up_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = TurnEndEngine(write_model(tmp_path / "turn.onnx"))
    begun, goes_on = asyncio.Event(), threading.Event()
    utterances: list[int] = []
    async with TurnEndBatcher("turn end", engine) as batcher:
        loop, run = asyncio.get_running_loop(), engine._session.run

        def held(outputs: None, inputs: dict[str, np.ndarray]) -> Any:
            utterances.extend(len(mels) for mels in inputs.values())
            loop.call_soon_threadsafe(begun.set)
            assert goes_on.wait(30)
            return run(outputs, inputs)

        monkeypatch.setattr(engine, "_session", SimpleNamespace(run=held))
        asked = [
            asyncio.create_task(batcher.run(TurnEndRequest(sound(1.0, 0.1)))) for _ in range(4)
        ]
        await begun.wait()
        for one in asked[1:]:
            one.cancel()
        await asyncio.wait(asked[1:])
        goes_on.set()
        assert 0 <= await asked[0] <= 1
    assert utterances == [1]


async def test_what_is_no_sound_is_refused(tmp_path: Path) -> None:
    engine = TurnEndEngine(write_model(tmp_path / "turn.onnx"))
    async with TurnEndBatcher("turn end", engine) as batcher:
        for samples in (np.full(1600, np.nan, np.float32), np.zeros((2, 1600), np.float32)):
            with pytest.raises(EngineError, match="finite"):
                await batcher.run(TurnEndRequest(samples))
        assert 0 <= await batcher.run(TurnEndRequest(np.zeros(0, np.float32))) <= 1


@pytest.mark.parametrize("case", ["missing", "no model", "other input", "no probability"])
def test_another_file_is_told_at_the_start(tmp_path: Path, case: str) -> None:
    path = tmp_path / "turn.onnx"
    if case == "no model":
        path.write_bytes(b"no model")
    elif case == "other input":
        write_model(path, mels=128)
    elif case == "no probability":
        write_model(path, final="Exp")
    with pytest.raises(ModelError, match=r"turn\.onnx"):
        TurnEndEngine(str(path)).load()
