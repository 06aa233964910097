"""`make eval-telephone`: calls over both telephone doors, in real time.

A server of our own is called by simulators of Twilio and of an Asterisk, on a line of the
telephone's band with delay, jitter and loss. Each call has two turns, the second over the answer to
the first. What was said, transcribed, answered and heard is printed as a table; a stereo WAV of
every call (caller left, server right) and a JSON file are left behind.

The exit status is 0 only if every call was right.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engines.batcher import Batcher
from engines.config import SttConfig
from engines.stt import SttEngine, SttRequest, Transcript
from evaluation.caller import CallFailed
from evaluation.recording import Pcm, voiced_span
from evaluation.scenarios.words import words_by_language
from evaluation.server_process import RunningServer, ServerFailed, server_process
from evaluation.telephone import audiosocket_phone, twilio_phone
from evaluation.telephone.conversation import Script, Turn, TurnLog, hold, problems, script
from evaluation.telephone.line import Network
from evaluation.telephone.phone import Phone
from evaluation.terminal import Terminal
from server.audio import samples_from_int16
from server.g711 import RATE_HZ
from server.resampling import resample

AUTH_TOKEN = "the-token-of-a-simulated-account"
DOORS = ("twilio", "audiosocket")
LISTENER_HZ = 16_000
MARGIN = RATE_HZ // 4  # of silence around what the recognizer listens to

_SERVER_ARGUMENTS = (
    "--host=127.0.0.1",
    "--api-keys=",
    "--log-format=json",
    f"--telephone.twilio_auth_token={AUTH_TOKEN}",
    "--telephone.audiosocket",
    "--telephone.audiosocket_port=0",
)


@dataclass(frozen=True, slots=True)
class Call:
    """One call and what came of it."""

    door: str
    script: Script
    turns: Sequence[Turn] = ()
    heard: Sequence[str] = ()  # what a recognizer makes of what the caller heard, a turn each
    problems: Sequence[str] = ()


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the calls; the exit status."""
    options = _parser().parse_args(arguments)
    terminal = Terminal(sys.stdout)
    options.output.mkdir(parents=True, exist_ok=True)
    try:
        with _server(options.output, terminal) as server:
            calls = asyncio.run(_call_all(server, options, terminal))
    except ServerFailed as failure:
        terminal.failure(str(failure))
        return 1
    return _conclude(calls, options.output, terminal)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m evaluation.telephone",
        description="Call a server over both telephone doors, in real time.",
    )
    parser.add_argument("--doors", nargs="+", choices=DOORS, default=DOORS)
    parser.add_argument(
        "--languages", nargs="+", choices=list(words_by_language()), default=["es", "hi"]
    )
    parser.add_argument(
        "--delay-ms", type=float, default=40, help="one way, between telephone and server (40)"
    )
    parser.add_argument("--jitter-ms", type=float, default=30, help="besides, at most (30)")
    parser.add_argument("--loss", type=float, default=0.01, help="of the caller's frames (0.01)")
    parser.add_argument("--seed", type=int, default=0, help="of jitter and loss (0)")
    parser.add_argument(
        "--output", type=Path, default=Path("eval-output/telephone"), help="for what is left"
    )
    return parser


@contextmanager
def _server(output: Path, terminal: Terminal) -> Iterator[RunningServer]:
    terminal.heading("Starting the server")
    config = output / "tinig.toml"
    config.touch()  # whatever the owner's says
    arguments = [f"--config={config}", *_SERVER_ARGUMENTS]
    with server_process(output / "server.log", arguments=arguments) as server:
        terminal.line(f"  ready in {server.seconds_to_ready:.1f} s at {server.http_url}")
        yield server


async def _call_all(
    server: RunningServer, options: argparse.Namespace, terminal: Terminal
) -> list[Call]:
    calls = []
    async with _listening() as listener:
        for door in options.doors:
            for language in options.languages:
                call = await _call(server, door, script(language), options, listener)
                _show(call, terminal)
                calls.append(call)
    return calls


async def _call(
    server: RunningServer,
    door: str,
    lines: Script,
    options: argparse.Namespace,
    listener: Batcher[SttRequest, Transcript],
) -> Call:
    log = TurnLog(server.log)
    try:
        async with _dialled(server, door, options) as phone:
            try:
                turns = await hold(phone, lines, log)
            finally:
                phone.write(options.output / f"{door}-{lines.language}.wav")
    except CallFailed as failure:
        return Call(door, lines, problems=[str(failure)])
    heard = [await _understood(listener, turn.heard, lines.language) for turn in turns]
    return Call(door, lines, turns, heard, problems(lines, turns, heard[-1]))


@asynccontextmanager
async def _dialled(
    server: RunningServer, door: str, options: argparse.Namespace
) -> AsyncIterator[Phone]:
    networks = [
        Network(
            delay_seconds=options.delay_ms / 1000,
            jitter_seconds=options.jitter_ms / 1000,
            loss=options.loss,
            seed=options.seed + number,
        )
        for number in range(2)
    ]
    if door == "twilio":
        async with twilio_phone.dial(
            server.http_url, AUTH_TOKEN, uplink=networks[0], downlink=networks[1]
        ) as phone:
            yield phone
        return
    port = _audiosocket_port(server.log)
    async with audiosocket_phone.dial(
        "127.0.0.1", port, uplink=networks[0], downlink=networks[1]
    ) as phone:
        yield phone


def _audiosocket_port(log: Path) -> int:
    """The free one that the server took."""
    for line in log.read_text(encoding="utf-8").splitlines():
        if "listening for AudioSocket" in line:
            return int(json.loads(line)["message"].rpartition(":")[2])
    raise ServerFailed(f"The server does not listen for AudioSocket; see {log}.")


# ---- what the caller heard ----------------------------------------------------------------------


@asynccontextmanager
async def _listening() -> AsyncIterator[Batcher[SttRequest, Transcript]]:
    """A recognizer of our own, that listens as the caller does."""
    engine = SttEngine(SttConfig())
    async with Batcher[SttRequest, Transcript]("listener", engine) as listener:
        yield listener


async def _understood(
    listener: Batcher[SttRequest, Transcript], heard: Pcm | None, language: str
) -> str:
    span = None if heard is None else voiced_span(heard)
    if heard is None or span is None:
        return ""
    first, last = max(0, span[0] - MARGIN), span[1] + MARGIN
    samples = resample(samples_from_int16(heard[first:last]), RATE_HZ, LISTENER_HZ)
    request = SttRequest(samples, languages=(language,), language=language)
    return (await listener.run(request)).text


# ---- what is printed and left -------------------------------------------------------------------


def _show(call: Call, terminal: Terminal) -> None:
    terminal.heading(f"{call.door}, {call.script.language}")
    for turn, heard in zip(call.turns, call.heard, strict=True):
        record = turn.record
        terminal.line(f"  said        {turn.said}")
        terminal.line(
            f"  transcript  {record.get('heard', '')}  "
            f"[{record.get('language', '')}, {turn.error_rate:.0%} of the words wrong]"
        )
        terminal.line(f"  answer      {record.get('answer', '')}  [{record.get('status', '')}]")
        seconds = len(turn.heard) / RATE_HZ if turn.heard is not None else 0.0
        terminal.line(f"  heard       {heard}  [{seconds:.1f} s]")
        times = [f"{name} {ms:.0f}" for name, ms in record.get("milestones_ms", {}).items()]
        if turn.first_sound_ms is not None:
            times.append(f"caller hears {turn.first_sound_ms:.0f}")
        if turn.silent_after_ms is not None:
            times.append(f"interrupted, silent after {turn.silent_after_ms:.0f}")
        terminal.aside(f"  ms          {' · '.join(times)}")
    for problem in call.problems:
        terminal.failure(f"  FAILED      {problem}")


def _table(calls: Sequence[Call]) -> Iterator[str]:
    columns = "{:<12} {:<9} {:>5} {:>11} {:>12} {:>12} {:>12}  {}"
    yield columns.format(
        "door", "language", "WER", "transcript", "audio sent", "first sound", "falls silent", ""
    )
    for call in calls:
        for number, turn in enumerate(call.turns, start=1):
            times = turn.record.get("milestones_ms", {})
            yield columns.format(
                call.door,
                f"{call.script.language} {number}",
                f"{turn.error_rate:.0%}",
                _cell(times.get("transcript")),
                _cell(times.get("first_audio_sent")),
                _cell(turn.first_sound_ms),
                _cell(turn.silent_after_ms),
                turn.record.get("status", ""),
            )


def _cell(milliseconds: float | None) -> str:
    return "-" if milliseconds is None else f"{milliseconds:.0f} ms"


def _conclude(calls: Sequence[Call], output: Path, terminal: Terminal) -> int:
    terminal.heading("From the end of the caller's words; from their beginning to silence")
    for line in _table(calls):
        terminal.line(line)
    path = output / "telephone.json"
    figures = [_figures(call) for call in calls]
    path.write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    terminal.line()
    terminal.line(f"Recordings and figures are in {output}.")
    failed = [call for call in calls if call.problems]
    if failed:
        terminal.failure(f"{len(failed)} of {len(calls)} calls failed.")
        return 1
    terminal.success(f"All {len(calls)} calls were right.")
    return 0


def _figures(call: Call) -> dict[str, Any]:
    return {
        "door": call.door,
        "language": call.script.language,
        "problems": list(call.problems),
        "turns": [
            {
                "said": turn.said,
                "heard_by_caller": heard,
                "error_rate": round(turn.error_rate, 4),
                "first_sound_ms": turn.first_sound_ms,
                "silent_after_ms": turn.silent_after_ms,
                "record": dict(turn.record),
            }
            for turn, heard in zip(call.turns, call.heard, strict=True)
        ],
    }


if __name__ == "__main__":
    sys.exit(main())
