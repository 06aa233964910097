"""Long prompts beside answers, on the real language model."""

from benchmarks.prefill_gaps import measure, plots, table


async def test_every_size_of_chunks_is_measured() -> None:
    rows = await measure((64, 256), times=1)
    assert [row.chunk_tokens for row in rows] == [64, 256]
    assert all(row.first_token_ms > 0 for row in rows)
    assert all(row.gap_p50_ms <= row.gap_p95_ms <= row.gap_most_ms for row in rows)
    assert all(row.gap_most_ms > 0 for row in rows)
    assert rows[0].prompt_tokens == rows[1].prompt_tokens > 300
    assert len(table(rows).splitlines()) == 4
    assert set(plots(rows)) == {"chunks"}
