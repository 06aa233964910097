"""The systems beside each other: how each is started for so many calls, with the same models.

What differs from a system's own defaults stands here and in `pipecat_bot.py`, and why in
`docs/performance/peers.md`.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.harness import server
from benchmarks.peers.environments import HERE, PeerUnavailable, environment
from benchmarks.peers.llama_server import llama_server
from evaluation.server_process import REPOSITORY, answers, free_port, process
from server.language.prompts import Prompt, prompt

STARTER = REPOSITORY / "models" / "starter"
INSTRUCTIONS = prompt(Prompt.DIRECT, "en").strip()
START_SECONDS = 180.0
CONTEXT_TOKENS = 2048  # of a call


@dataclass(frozen=True, slots=True)
class Running:
    """A system that is ready for calls."""

    wire: str
    urls: tuple[str, ...]  # one for all calls, or one a call
    pids: tuple[int, ...]  # of all its processes, but for those that they start


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where the systems are started: folders, environments, words of progress."""

    output: Path
    on_step: Callable[[str], None]

    def python(self, name: str) -> Path:
        """Of a peer's environment."""
        return environment(name, self.on_step)

    def voice(self) -> Path:
        """The starter voice under the names that Piper's own tools expect."""
        folder = self.output / "voice"
        folder.mkdir(parents=True, exist_ok=True)
        for name, source in (
            ("voice.onnx", "starter.onnx"),
            ("voice.onnx.json", "starter.en.onnx.json"),
        ):
            link = folder / name
            link.unlink(missing_ok=True)
            link.symlink_to(STARTER / "tts" / source)
        return folder


@contextmanager
def tinig(calls: int, workshop: Workshop, *, turns: str) -> Iterator[Running]:
    """As it comes, whatever tinig.toml says, with one process for all."""
    del calls
    config = workshop.output / "as-it-comes.toml"
    config.write_text("", encoding="utf-8")
    arguments = [f"--config={config}"]
    if turns == "smart":
        arguments.append(f"--vad.smart_turn={_smart_turn(workshop)}")
    with server(workshop.output, arguments=arguments) as running:
        yield Running("realtime", (running.realtime_url,), (running.pid,))


@contextmanager
def pipecat(calls: int, workshop: Workshop, *, turns: str) -> Iterator[Running]:
    """A process a call, as its documentation deploys it; one LLM server for all."""
    python, voice = workshop.python("pipecat"), workshop.voice()
    with _llm(calls, workshop) as (llm_url, llm_pid), ExitStack() as stack:

        def bot(number: int) -> tuple[str, int]:
            port = free_port()
            command = [str(python), str(HERE / "pipecat_bot.py"), str(port), str(STARTER / "stt")]
            command += [str(voice), llm_url, turns, INSTRUCTIONS]
            log = workshop.output / f"pipecat-{number}.log"
            pid = stack.enter_context(_process(command, log, port, "/readyz"))
            return f"ws://127.0.0.1:{port}/call", pid

        with ThreadPoolExecutor(os.cpu_count()) as starters:
            bots = list(starters.map(bot, range(calls)))
        yield Running("pcm", tuple(url for url, _ in bots), (llm_pid, *(pid for _, pid in bots)))


@contextmanager
def speech_to_speech(calls: int, workshop: Workshop, *, turns: str) -> Iterator[Running]:
    """One process with a pipeline a call; an LLM server and a speech server for all."""
    python, voice, port = workshop.python("speech-to-speech"), workshop.voice(), free_port()
    share = python.parent.parent / "share"
    # Its caches are ours, and no hub is asked for anything.
    variables = {
        "TORCH_HOME": str(share / "torch"),
        "NLTK_DATA": str(share / "nltk"),
        "HF_HUB_OFFLINE": "1",
    }
    with _llm(calls, workshop) as (llm_url, llm_pid), ExitStack() as stack:
        speech_port = free_port()
        speech = [str(python), str(HERE / "speech_server.py"), str(speech_port), str(voice)]
        log = workshop.output / "speech-server.log"
        speech_pid = stack.enter_context(_process(speech, log, speech_port, "/readyz"))
        command = [str(python), "-m", "speech_to_speech.cli", "serve", f"--port={port}"]
        command += _speech_to_speech_options(calls, llm_url, f"http://127.0.0.1:{speech_port}/v1")
        smart_turn = f"--smart_turn_model_path={_smart_turn(workshop)}"
        command.append(smart_turn if turns == "smart" else "--no_smart_turn")
        log = workshop.output / "speech-to-speech.log"
        pid = stack.enter_context(_process(command, log, port, "/v1/pool", variables))
        url = f"ws://127.0.0.1:{port}/v1/realtime"
        yield Running("realtime", (url,), (llm_pid, speech_pid, pid))


def _speech_to_speech_options(calls: int, llm_url: str, speech_url: str) -> list[str]:
    return [
        f"--num_pipelines={calls}",
        "--device=cpu",
        "--stt=faster-whisper",
        f"--faster_whisper_stt_model_name={STARTER / 'stt'}",
        "--faster_whisper_stt_compute_type=int8",
        "--no_enable_live_transcription",
        "--llm_backend=chat-completions",
        "--model_name=starter",
        f"--responses_api_base_url={llm_url}",
        "--responses_api_api_key=none",
        f"--init_chat_prompt={INSTRUCTIONS}",
        "--stream_batch_sentences=1",
        "--tts=openai",
        f"--openai_tts_base_url={speech_url}",
        "--openai_tts_sample_rate=16000",
    ]


def _smart_turn(workshop: Workshop) -> Path:
    """The file that speech-to-speech would fetch; pipecat's package has it."""
    pipecat_folder = workshop.python("pipecat").parent.parent
    found = sorted(pipecat_folder.glob("lib/*/site-packages/pipecat/**/smart-turn-v3*-cpu.onnx"))
    if not found:
        raise PeerUnavailable("pipecat's package has no Smart Turn any more")
    return found[-1]


@contextmanager
def _llm(calls: int, workshop: Workshop) -> Iterator[tuple[str, int]]:
    """llama.cpp's server on the starter model, a slot a call: its URL and process."""
    port = free_port()
    options = {
        "host": "127.0.0.1",
        "port": port,
        "model": STARTER / "llm" / "starter.gguf",
        "alias": "starter",
        "parallel": calls,
        "ctx-size": calls * CONTEXT_TOKENS,
        "temp": 0,
        "threads": 1,
    }
    command = [str(llama_server(workshop.on_step))]
    command += [part for name, value in options.items() for part in (f"--{name}", str(value))]
    with _process(command, workshop.output / "llm-server.log", port, "/health") as pid:
        yield f"http://127.0.0.1:{port}/v1", pid


def _process(
    command: Sequence[str], log: Path, port: int, path: str, variables: dict[str, str] | None = None
) -> AbstractContextManager[int]:
    is_ready = partial(answers, f"http://127.0.0.1:{port}{path}")
    return process(command, log, is_ready, timeout_seconds=START_SECONDS, environment=variables)


System = Callable[[int, Workshop], AbstractContextManager[Running]]
SYSTEMS: dict[str, System] = {
    "Tinig": partial(tinig, turns="own"),
    "Tinig with Smart Turn": partial(tinig, turns="smart"),
    "pipecat": partial(pipecat, turns="smart"),
    "pipecat by silence": partial(pipecat, turns="timeout"),
    "speech-to-speech": partial(speech_to_speech, turns="smart"),
    "speech-to-speech by silence": partial(speech_to_speech, turns="timeout"),
}
