"""`make demo`: a caller speaks three turns in each language with a server, in real time.

The server is started on a free port and called over its real WebSocket; the caller's speech is
made on the spot by eSpeak NG. Every turn is printed with its latency record; a stereo WAV of each
conversation (caller left, server right) and a JSON file with all figures are left behind.

The exit status is 0 only if every turn was answered in its language, with audio.
"""

import argparse
import asyncio
import json
import sys
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from evaluation.caller import RATE_HZ, Caller, CallFailed, call
from evaluation.recording import write_stereo
from evaluation.server_process import ServerFailed, server_process
from evaluation.speech import synthesize
from evaluation.summary import MILESTONES, summarize, table, times_ms
from evaluation.terminal import Terminal
from evaluation.turns import Turn, take_turn

SENTENCES_FILE = Path(__file__).with_name("demo_sentences.toml")
PAUSE_SECONDS = 1.0  # of silence before each turn and at the end, as people leave
_SERVER_ARGUMENTS = ("--host=127.0.0.1", "--api-keys=")  # whatever tinig.toml says


@dataclass(frozen=True, slots=True)
class Script:
    """What a caller says in one language."""

    language: str
    name: str  # of the language, in English
    says: tuple[str, ...]


@cache
def scripts() -> dict[str, Script]:
    """The conversations of the demo by language."""
    data = tomllib.loads(SENTENCES_FILE.read_text(encoding="utf-8"))
    return {
        language: Script(language, entry["name"], tuple(entry["says"]))
        for language, entry in data.items()
    }


def main(arguments: Sequence[str] | None = None, config_flags: Sequence[str] = ()) -> int:
    """Run the demo; the exit status. `config_flags`: for a server of our own."""
    options = _parser().parse_args(arguments)
    terminal = Terminal(sys.stdout)
    options.output.mkdir(parents=True, exist_ok=True)
    chosen = [scripts()[language] for language in options.languages]
    try:
        with _server_url(options, config_flags, terminal) as url:
            turns = asyncio.run(_converse(url, options.api_key, chosen, options.output, terminal))
    except ServerFailed as failure:
        terminal.failure(str(failure))
        return 1
    return _conclude(turns, options.output, terminal)


def _parser() -> argparse.ArgumentParser:
    known = list(scripts())
    parser = argparse.ArgumentParser(
        prog="python -m evaluation.demo",
        description="Speak with the server in each language, in real time.",
    )
    parser.add_argument(
        "--languages", nargs="+", choices=known, default=known, help="conversations to hold"
    )
    parser.add_argument(
        "--output", type=Path, default=Path("demo-output"), help="folder for what is left behind"
    )
    parser.add_argument("--url", help="call this running server: ws://HOST:PORT/v1/realtime")
    parser.add_argument("--api-key", default="", help="of the server, if it asks for one")
    return parser


@contextmanager
def _server_url(
    options: argparse.Namespace, config_flags: Sequence[str], terminal: Terminal
) -> Iterator[str]:
    """The server that was named, or one of our own."""
    if options.url:
        yield options.url
        return
    terminal.heading("Starting the server")
    with server_process(
        options.output / "server.log",
        arguments=[*config_flags, *_SERVER_ARGUMENTS],
        on_line=lambda line: terminal.aside(f"  {line}"),
    ) as server:
        terminal.line(f"  ready in {server.seconds_to_ready:.1f} s at {server.http_url}")
        yield server.realtime_url


async def _converse(
    url: str, api_key: str, chosen: Sequence[Script], output: Path, terminal: Terminal
) -> list[Turn]:
    """Hold all conversations, one after the other."""
    turns: list[Turn] = []
    for script in chosen:
        terminal.heading(script.name)
        try:
            async with call(url, api_key=api_key) as caller:
                turns += await _hold(caller, script, terminal)
                path = output / f"{script.language}.wav"
                _write_recording(path, caller)
                terminal.aside(f"  recorded in {path}")
        except CallFailed as failure:
            terminal.failure(f"  {failure}")
            turns += [Turn(script.language, said, problems=(str(failure),)) for said in script.says]
    return turns


async def _hold(caller: Caller, script: Script, terminal: Terminal) -> list[Turn]:
    """One conversation. A turn that fails does not keep the next from being tried."""
    turns = []
    for number, said in enumerate(script.says, start=1):
        terminal.line(f"  {number}  said    {said}")
        speech = await asyncio.to_thread(synthesize, said, script.language, RATE_HZ)
        turn = await take_turn(caller, script.language, said, speech, PAUSE_SECONDS)
        _show(turn, terminal)
        turns.append(turn)
    await caller.rest(PAUSE_SECONDS)
    return turns


def _show(turn: Turn, terminal: Terminal) -> None:
    sure = f"  [{turn.heard_language} {turn.heard_probability:.0%}]" if turn.heard_language else ""
    terminal.line(f"     heard   {turn.heard}{sure}")
    terminal.line(f"     answer  {turn.answer}")
    in_order = sorted(times_ms(turn).items(), key=lambda item: item[1])
    times = [f"{MILESTONES[name]} {ms:.0f}" for name, ms in in_order]
    terminal.aside(f"     ms      {' · '.join(times)}")
    for problem in turn.problems:
        terminal.failure(f"     FAILED  {problem}")


def _write_recording(path: Path, caller: Caller) -> None:
    write_stereo(path, caller.microphone.to_samples(), caller.playback.to_samples(), RATE_HZ)


def _conclude(turns: Sequence[Turn], output: Path, terminal: Terminal) -> int:
    """Print the table and the verdict, write the figures; the exit status."""
    summary = summarize(turns)
    figures = {
        "turns": [asdict(turn) for turn in turns],
        "summary": {
            name: {milestone: asdict(figure) for milestone, figure in row.items()}
            for name, row in summary.items()
        },
    }
    path = output / "demo.json"
    path.write_text(json.dumps(figures, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    terminal.heading("From the end of the caller's speech")
    terminal.line(table(summary))
    terminal.line()
    terminal.line(f"Recordings and figures are in {output}.")
    failed = [turn for turn in turns if turn.problems]
    if failed:
        terminal.failure(f"{len(failed)} of {len(turns)} turns failed.")
        return 1
    terminal.success(f"All {len(turns)} turns were answered in their language, with audio.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
