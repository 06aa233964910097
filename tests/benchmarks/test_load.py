"""The load generator against the whole server with engines that take no time."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from benchmarks.harness import LoadFailed, load, server
from benchmarks.load import observed
from benchmarks.results import Exchange
from evaluation.caller import RATE_HZ, Caller, Received, Spoken
from evaluation.server_process import RunningServer


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    output: Path = tmp_path_factory.mktemp("bench")
    with server(output, module="benchmarks.null_server") as running:
        yield running


def test_callers_talk_interrupt_and_are_answered(running: RunningServer) -> None:
    loaded = load(
        running,
        *("--calls=3", "--turns=2", "--seconds=60", "--ramp=0.3", "--pause=0.2"),
        *("--interrupt=0.5", "--languages", "en", "es"),
    )
    result = loaded.result
    assert result.failures == ()
    assert [one.problem for one in result.exchanges] == [""] * 6
    assert {one.language for one in result.exchanges} == {"en", "es"}
    assert all(one.voice_to_voice_ms is not None for one in result.exchanges)
    assert any(one.interrupts for one in result.exchanges)
    assert loaded.server_cpu_seconds > 0
    assert loaded.jobs_per_step.keys() == {"vad", "stt", "llm", "tts"}
    assert all(size >= 1 for size in loaded.jobs_per_step.values())
    assert loaded.server_resident_mb > 10


def test_a_server_that_is_gone_is_a_failure_of_every_call(running: RunningServer) -> None:
    nowhere = RunningServer(1, running.log, 0.0, running.pid)
    with pytest.raises(OSError, match="refused"):
        load(nowhere, "--calls=1", "--seconds=1", "--languages", "en")


def test_wrong_arguments_are_the_generators_own_words(running: RunningServer) -> None:
    with pytest.raises(LoadFailed, match="invalid choice: 'xx'"):
        load(running, "--languages", "xx")


def test_a_sentence_for_all_needs_its_language(running: RunningServer) -> None:
    with pytest.raises(LoadFailed, match="--languages en"):
        load(running, "--say", "Good morning.")


@pytest.mark.parametrize(
    ("begins_seconds", "voice_to_voice_ms", "problem"),
    [
        (1.6, None, "was answered while the caller spoke"),
        (2.3, 300.0, ""),
    ],
)
async def test_an_answer_is_no_answer_while_the_caller_speaks(
    begins_seconds: float, voice_to_voice_ms: float | None, problem: str
) -> None:
    caller = Caller(cast(Any, None))
    created = {"response": {"id": "resp_1"}}
    caller.events += [
        Received(1.5, "response.created", created),
        Received(2.4, "tinig.turn", {"turn": {"response_id": "resp_1", "draft": "hit"}}),
        Received(2.5, "tinig.turn", {"turn": {"response_id": "resp_0", "draft": ""}}),
    ]
    caller.playback.receive(np.full(RATE_HZ, 3000, np.int16), begins_seconds)
    found = observed(caller, Exchange(0, 0, "en"), 0.0, Spoken(0.5, 2.0))
    assert (found.voice_to_voice_ms, found.problem) == (voice_to_voice_ms, problem)
    assert found.draft == ("" if problem else "hit")
