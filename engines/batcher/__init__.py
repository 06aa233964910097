"""One thread owns one model.

Callers on the event loop submit jobs and read their outputs. The thread admits as many jobs as
the engine has room for, steps them together, and posts what they emitted back to the loop, once
per step. There is no batching delay: a batch is what queued while the last step ran.

STT, LLM, TTS and VAD differ only in their `Engine`: an STT or VAD job ends after one step, an LLM
job takes one step per token, a TTS job one step per chunk of audio, and new jobs join between
steps.

`Job` is one request, `Scheduler` the lists that the thread keeps of them, `Batcher` the thread and
the way there and back.
"""

from engines.batcher.batcher import Batcher
from engines.batcher.job import Job, Priority
from engines.batcher.scheduler import Engine

__all__ = ["Batcher", "Engine", "Job", "Priority"]
