"""`python -m benchmarks`: how fast, how many, at what cost. `make bench` runs all of it."""

import argparse
import asyncio
import json
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import curve, engine_batches, fullsize, one_call, overhead, prefill_gaps
from benchmarks.harness import LoadFailed
from benchmarks.peers import comparison, tables
from benchmarks.peers.measured import Measured
from benchmarks.peers.systems import SYSTEMS, Workshop
from benchmarks.publish import Found, check_places, publish
from benchmarks.sizes import SIZES, Lacking
from evaluation.machine import machine, revision
from evaluation.server_process import ServerFailed
from evaluation.terminal import Terminal

Bench = Callable[[argparse.Namespace, Terminal], Found]
Named = tuple[str, Found]

_OVERHEAD_CALLS_HELP = (
    "streaming calls that one core is to hold; the fewer they are, the more each costs: the "
    "process then wakes for every single frame, with cold caches"
)

_TURNS_HELP = "of each of five calls, for one; of a level's calls together, at least, for peers"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for; the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    options = _parser().parse_args(given)
    command = f'make bench ARGS="{shlex.join(given)}"'
    terminal = Terminal(sys.stdout)
    options.output.mkdir(parents=True, exist_ok=True)
    if options.docs:
        check_places(name for bench in options.benches for name in _names(bench, options))
    found: dict[str, Found] = {}
    path = options.output / "bench.json"
    origin = _machine()  # before there are results, which would be changes to the revision
    try:
        for bench in options.benches:
            for name, one in _founds(bench, options, terminal):
                found[name] = one
                _keep(path, found, origin)
            _tell(
                [(name, found[name]) for name in _names(bench, options) if name in found],
                options,
                command,
                origin,
                terminal,
            )
    except (OSError, ServerFailed, LoadFailed, Lacking) as failure:
        terminal.failure(str(failure))
        return 1
    terminal.line(f"\nFigures are in {path}.")
    return 0


def _names(bench: str, options: argparse.Namespace) -> list[str]:
    """Under which the figures of a benchmark are kept: each part of fullsize under its own."""
    return [f"{bench}-{part}" for part in options.parts] if bench == "fullsize" else [bench]


def _founds(bench: str, options: argparse.Namespace, terminal: Terminal) -> Iterator[Named]:
    """Measure; a name that comes again has more than before."""
    if bench == "fullsize":
        yield from _fullsize(options, terminal)
    else:
        yield bench, _BENCHES[bench](options, terminal)


def _keep(path: Path, found: Mapping[str, Found], origin: Mapping[str, Any]) -> None:
    """Write all figures so far, however a run of many minutes ends."""
    figures = {name: one.figures for name, one in found.items()}
    path.write_text(json.dumps({"machine": origin, **figures}, indent=2) + "\n", "utf-8")


def _tell(
    found: Sequence[Named],
    options: argparse.Namespace,
    command: str,
    origin: Mapping[str, Any],
    terminal: Terminal,
) -> None:
    """Show what was found, and put it into the documentation where wanted."""
    for name, one in found:
        terminal.line(one.text)
        if options.docs:
            publish(name, one, command=command, machine=origin)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure the server with callers in real time over the real WebSocket.",
        epilog="one: stage by stage, one call at a time. curve: more and more callers. overhead: "
        "the server without its engines. engines: batches beside single requests. prefill: what a "
        "long prompt costs the answers beside it. peers: beside pipecat and speech-to-speech, in "
        "environments of their own under .cache/peers/. fullsize: true architectures, random "
        "weights: their speed alone.",
    )
    parser.add_argument(
        "benches",
        nargs="*",
        choices=[*_BENCHES, "fullsize"],
        default=[*(name for name in _BENCHES if name != "peers"), "fullsize"],
        help="default: all but peers, which fetches 2 GB of others' packages",
    )
    parser.add_argument("--output", type=Path, default=Path("bench-output"))
    parser.add_argument(
        "--docs", action="store_true", help="put tables and plots into docs/performance.md"
    )
    parser.add_argument("--turns", type=int, default=20, help=_TURNS_HELP)
    parser.add_argument("--seconds", type=float, default=40.0, help="of a level of the curve")
    parser.add_argument(
        "--levels", type=int, nargs="+", default=list(curve.LEVELS), help="callers of the curve"
    )
    parser.add_argument("--overhead-calls", type=int, default=200, help=_OVERHEAD_CALLS_HELP)
    parser.add_argument("--size", choices=list(SIZES), default="small", help="of fullsize")
    parser.add_argument(
        "--parts",
        nargs="+",
        choices=fullsize.PARTS,
        default=list(fullsize.PARTS),
        help="of fullsize",
    )
    parser.add_argument(
        "--models", type=Path, help="where those of fullsize are made; default: in the output"
    )
    parser.add_argument("--peer-levels", type=int, nargs="+", default=list(comparison.LEVELS))
    parser.add_argument("--systems", nargs="+", choices=list(SYSTEMS), default=list(SYSTEMS))
    return parser


def _one(options: argparse.Namespace, terminal: Terminal) -> Found:
    terminal.heading(f"One call at a time, {5 * options.turns} turns")
    found = one_call.measure(
        options.output, options.turns, lambda language: terminal.aside(f"  {language}")
    )
    return Found(found.to_json(), f"{found.table()}\n\n{found.by_turn()}", found.plots())


def _curve(options: argparse.Namespace, terminal: Terminal) -> Found:
    terminal.heading(f"More and more callers, {options.seconds:.0f} s each")
    points = curve.measure(
        options.output,
        levels=options.levels,
        seconds=options.seconds,
        on_level=lambda calls: terminal.aside(f"  {calls} calls"),
    )
    figures = [point.to_json() for point in points]
    return Found(figures, curve.table(points), curve.plots(points))


def _overhead(options: argparse.Namespace, terminal: Terminal) -> Found:
    terminal.heading("The server without its engines")
    found = overhead.measure(options.output, options.overhead_calls, options.seconds)
    return Found(found.to_json(), found.table())


def _engines(options: argparse.Namespace, terminal: Terminal) -> Found:
    terminal.heading("Requests together and one by one")
    rows = asyncio.run(engine_batches.measure(on_engine=lambda name: terminal.aside(f"  {name}")))
    figures = [asdict(row) for row in rows]
    return Found(figures, engine_batches.table(rows), engine_batches.plots(rows))


def _prefill(options: argparse.Namespace, terminal: Terminal) -> Found:
    terminal.heading("Long prompts beside answers that are being spoken")
    rows = asyncio.run(prefill_gaps.measure())
    return Found([asdict(row) for row in rows], prefill_gaps.table(rows), prefill_gaps.plots(rows))


def _peers(options: argparse.Namespace, terminal: Terminal) -> Found:
    terminal.heading(f"Beside others, {options.turns} turns of a level at least")
    failures: dict[str, str] = {}
    rows: list[dict[str, Any]] = []

    def measured_one(one: Measured) -> None:
        terminal.aside(f"    {tables.line(one)}")
        rows.append(one.to_json())
        text = json.dumps(rows, indent=2)  # kept, however a run of many minutes ends
        (options.output / "peers.json").write_text(text + "\n", "utf-8")

    def failed(system: str, why: str) -> None:
        failures[system] = why
        terminal.failure(f"    {system} cannot run: {why}")

    measured = comparison.measure(
        Workshop(options.output, lambda step: terminal.aside(f"  {step}")),
        systems=options.systems,
        levels=options.peer_levels,
        turns=options.turns,
        on_measured=measured_one,
        on_failure=failed,
    )
    figures = {"measured": rows, "failures": failures}
    return Found(figures, tables.text(measured, failures), tables.plots(measured))


def _fullsize(options: argparse.Namespace, terminal: Terminal) -> Iterator[Named]:
    terminal.heading(f"True architectures, random weights: {options.size}")
    output = options.output / f"fullsize-{options.size}"
    for part, found in fullsize.measure(
        output,
        SIZES[options.size],
        models=options.models or output / "models",
        parts=options.parts,
        seconds=options.seconds,
        on_step=lambda step: terminal.aside(f"  {step}"),
        on_failure=lambda step, why: terminal.failure(f"  {step} failed: {why}"),
    ):
        yield f"fullsize-{part}", found


_BENCHES: Mapping[str, Bench] = {
    "one": _one,
    "curve": _curve,
    "overhead": _overhead,
    "engines": _engines,
    "prefill": _prefill,
    "peers": _peers,
}


def _machine() -> dict[str, Any]:
    """What is measured, where and when."""
    date = datetime.now(UTC).date().isoformat()
    return {**machine(), "revision": revision(), "date": date}


if __name__ == "__main__":
    sys.exit(main())
