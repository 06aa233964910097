"""Requests together and one by one, on the real engines."""

from benchmarks.engine_batches import Batched, measure, table


async def test_every_engine_is_measured_at_every_size() -> None:
    rows = await measure(sizes=(1, 2))
    measured = [(row.engine[:3], row.size) for row in rows]
    assert measured == [(name, size) for name in ("VAD", "STT", "LLM", "TTS") for size in (1, 2)]
    assert all(row.together_ms > 0 and row.alone_ms > 0 for row in rows)


def test_the_table_gives_the_ratio() -> None:
    text = table([Batched("VAD, a window", 4, 2.0, 6.0)])
    assert "| VAD, a window |        4 |          2.0 |            6.0 |          3.0 |" in text
