"""Models and metrics."""

from dataclasses import replace

from engines.loaded import LoadedModel
from server.metrics import Milestone, TurnRecord
from tests.fakes import FakeBatcher
from tests.server.rest.door import client_of, instant, server_on

WHISPER = LoadedModel("stt", "whisper-small (int8)", "/m/whisper-small", "cpu", 240.0, 1.0)


async def test_the_loaded_models_are_listed_and_found() -> None:
    async with client_of(server_on(instant(loaded=(WHISPER,)))) as client:
        listed = await (await client.get("/v1/models")).json()
        assert [model["id"] for model in listed["data"]] == ["tinig", "stt-whisper-small-int8"]
        for model in listed["data"]:
            assert await (await client.get(f"/v1/models/{model['id']}")).json() == model
        unknown = await client.get("/v1/models/gpt%2F9")
        assert unknown.status == 404
        error = (await unknown.json())["error"]
        assert error["code"] == "model_not_found"
        assert "stt-whisper-small-int8" in error["message"]


def record(status: str, language: str, tier: str, **seconds: float) -> TurnRecord:
    times = {Milestone(name): 100.0 + after for name, after in seconds.items()}
    return replace(
        TurnRecord(1, "sess_1"), status=status, language=language, tier=tier, times=times
    )


async def test_what_was_counted_is_told_to_prometheus() -> None:
    stage = instant()
    stage.turn_end = FakeBatcher("turn end", lambda request: [])
    server = server_on(stage)
    counters = server.counters
    counters.note_turn(record("completed", "en", "direct", speech_end=0.0, transcript=0.25))
    counters.note_turn(record("completed", "hi", "pivot", speech_end=0.0, transcript=0.75))
    counters.note_turn(record("cancelled", "en", "direct"))
    counters.drafts["hit"] += 3
    counters.wasted_tokens += 17
    counters.interruptions["backchannel"] += 1
    counters.refused["Unauthorized"] += 2
    counters.hearing_lag.observe(0.3)
    async with client_of(server) as client:
        response = await client.get("/metrics")
        assert response.content_type == "text/plain"
        lines = (await response.text()).splitlines()
        health = await (await client.get("/healthz")).json()
    for line in (
        "tinig_sessions 0.0",
        'tinig_turns_total{language="en",status="completed",tier="direct"} 1.0',
        'tinig_turns_total{language="hi",status="completed",tier="pivot"} 1.0',
        'tinig_turns_total{language="en",status="cancelled",tier="direct"} 1.0',
        'tinig_drafts_total{fate="hit"} 3.0',
        "tinig_wasted_tokens_total 17.0",
        'tinig_interruptions_total{verdict="backchannel"} 1.0',
        'tinig_refused_total{reason="Unauthorized"} 2.0',
        'tinig_hearing_lag_seconds_bucket{le="0.2"} 0.0',
        'tinig_hearing_lag_seconds_bucket{le="0.5"} 1.0',
        'tinig_engine_jobs{engine="llm"} 0.0',
        'tinig_engine_jobs{engine="turn end"} 0.0',
        'tinig_engine_batch_size_count{engine="llm"} 0.0',
        'tinig_turn_milestone_seconds_bucket{language="en",le="0.2",milestone="transcript"} 0.0',
        'tinig_turn_milestone_seconds_bucket{language="en",le="0.3",milestone="transcript"} 1.0',
        'tinig_turn_milestone_seconds_count{language="hi",milestone="transcript"} 1.0',
    ):
        assert line in lines
    assert health["turns"] == {"completed": 2, "cancelled": 1}
