"""Recordings spoken in real time into a call: what the caller is told, and when.

The server is the real one, over its WebSocket, so that the price of streaming has everything in it:
the voice activity detector's cuts, the endpointer's, the wait for two partial transcripts to agree.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from evaluation.caller import RATE_HZ, Caller, CallFailed, call
from evaluation.data.audio import RATE_HZ as DATA_RATE_HZ
from evaluation.data.rows import RowError
from evaluation.recording import Pcm
from evaluation.results import Record, Results
from evaluation.stt.whole import Job, pending, told
from server.audio import int16_from_samples
from server.resampling import resample

DELTA = "conversation.item.input_audio_transcription.delta"
COMPLETED = "conversation.item.input_audio_transcription.completed"
STOPPED = "input_audio_buffer.speech_stopped"

LEAD_SECONDS = 0.3  # of silence before anybody speaks
TIMEOUT_SECONDS = 15.0  # after the end of the recording, in which the last transcript has to come
_SETTLE_SECONDS = 1.5  # after a transcript, in which another may follow


async def measure(
    jobs: Sequence[Job],
    url: str,
    results: Results,
    num_calls: int,
    on_done: Callable[[Job], None],
) -> list[str]:
    """Speak what `results` does not have yet, in `num_calls` calls at once; what went wrong.

    Every recording is a call of its own, so that none knows the language of another.
    """
    waiting = iter(pending(jobs, results))
    problems: list[str] = []

    async def work() -> None:
        for job in waiting:
            try:
                results.append(job.key, await _speak(job, url))
            except (CallFailed, RowError) as error:
                problems.append(f"{job.key}: {error}")
            on_done(job)

    async with asyncio.TaskGroup() as tasks:
        for number in range(num_calls):
            tasks.create_task(work(), name=f"caller {number}")
    return problems


async def _speak(job: Job, url: str) -> Record:
    speech = await asyncio.to_thread(_speech, job)
    async with call(url, wants_answers=False) as caller:
        start_seconds = caller.now_seconds + LEAD_SECONDS
        spoken = caller.speak(speech, after_seconds=LEAD_SECONDS)
        await caller.sleep_until(spoken.end_seconds)
        await _hear_out(caller, spoken.end_seconds)
        ends = job.clip.word_ends_seconds
        return {
            **told(job),
            "word_ends_seconds": ends,
            **observe(caller, start_seconds, spoken.end_seconds),
        }


def _speech(job: Job) -> Pcm:
    return int16_from_samples(resample(job.samples(), DATA_RATE_HZ, RATE_HZ))


async def _hear_out(caller: Caller, end_seconds: float) -> None:
    """Until every turn that the server took is transcribed, and no other begins."""

    def is_complete() -> bool:
        stops, texts = caller.received(STOPPED), caller.received(COMPLETED)
        return bool(texts) and len(texts) >= len(stops)

    if not await caller.wait_for(is_complete, end_seconds + TIMEOUT_SECONDS):
        return  # nothing was heard: that is a result
    await caller.rest(_SETTLE_SECONDS)
    await caller.wait_for(is_complete, end_seconds + TIMEOUT_SECONDS)


def observe(caller: Caller, start_seconds: float, end_seconds: float) -> dict[str, Any]:
    """What was shown in the call, with the times of the recording that began at `start_seconds`.

    A turn is the words that were shown while it was spoken, each with its time, and its transcript.
    """
    turns = list(_turns(caller, start_seconds))
    texts = caller.received(COMPLETED)
    return {
        "heard": " ".join(turn["final"] for turn in turns),
        "heard_language": _language(texts[0]) if texts else "",
        "turns": turns,
        "speech_end_seconds": round(end_seconds - start_seconds, 3),
    }


def _turns(caller: Caller, start_seconds: float) -> Iterator[dict[str, Any]]:
    shown: list[tuple[str, float]] = []
    for event in caller.events:
        at_seconds = round(event.at_seconds - start_seconds, 3)
        if event.type == DELTA:
            shown += [(word, at_seconds) for word in str(event.body["delta"]).split()]
        elif event.type == COMPLETED:
            final = str(event.body["transcript"]).strip()
            yield {"shown": shown, "final": final, "final_seconds": at_seconds}
            shown = []


def _language(body: Mapping[str, Any]) -> str:
    """The language that the server reports with a transcript."""
    languages = body.get("languages") or []
    return str(languages[0]["code"]) if languages else ""
