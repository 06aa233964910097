"""Run a Dockerfile's steps in plain Debian roots, where no Docker engine runs. As root, on Debian.

    sudo python3 scripts/rehearse_image.py packaging/Dockerfile

Each stage is a root of its own, made by debootstrap, whatever its FROM says; RUN, COPY, ENV,
WORKDIR and USER do there what they do in an image. At the end the entry point is started with no
network but loopback, the health check has to succeed, and the stop signal has to end it with status
0. What needs CUDA is not run, and said.
"""

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

CONTEXT = Path(__file__).resolve().parent.parent
NEEDS_CUDA = "GPU=1"
HEALTHY_WITHIN_SECONDS = 300.0


@dataclass(slots=True)
class Stage:
    """An image in the making."""

    name: str
    root: Path
    shell: list[str] = field(default_factory=lambda: ["/bin/sh", "-c"])
    folder: str = "/"
    user: str = "root"
    environment: dict[str, str] = field(default_factory=dict)
    entry_point: list[str] = field(default_factory=list)
    health_check: list[str] = field(default_factory=list)
    stop_signal: str = "TERM"
    not_run: list[str] = field(default_factory=list)

    def command(self, words: Sequence[str]) -> list[str]:
        """To run words in the stage as Docker would."""
        settings = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
        settings |= {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        settings |= self.environment
        return [
            *("chroot", f"--userspec={self.user}", str(self.root)),
            *("/usr/bin/env", "-i", f"--chdir={self.folder}"),
            *(f"{name}={value}" for name, value in settings.items()),
            *words,
        ]


def main() -> int:
    """Exit status 0 when every step that could be run did what it should."""
    arguments = _arguments()
    base = arguments.work / "debian"
    if not base.exists():
        _say("debootstrap bookworm")
        subprocess.run(
            ["debootstrap", "--variant=minbase", "bookworm", f"{base}.part"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        Path(f"{base}.part").rename(base)
    stages: dict[str, Stage] = {}
    for instruction, rest in instructions(arguments.dockerfile):
        if instruction == "FROM":
            stage = _from(rest, base, arguments.work)
            stages[stage.name] = stage
        elif instruction == "RUN":
            _run(rest, stage, arguments)
        elif instruction == "COPY":
            _copy(shlex.split(rest), stage, stages, arguments)
        else:
            _set(instruction, rest, stage)
    return _serve(stage)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("dockerfile", type=Path)
    add("--work", type=Path, default=Path("/var/tmp/tinig-rehearsal"), help="where the roots go")
    add("--share", type=Path, action="append", default=[], help="of this machine, seen in RUN too")
    add(
        "--wheels",
        type=Path,
        help="a .cache/wheels: llama.cpp is not compiled again",
    )
    return parser.parse_args()


def instructions(dockerfile: Path) -> Iterator[tuple[str, str]]:
    """Name and rest of each instruction, comments gone and lines joined."""
    lines = [line for line in dockerfile.read_text().splitlines() if not line.startswith("#")]
    for line in re.sub(r"\\\n\s*", " ", "\n".join(lines)).splitlines():
        if line.strip():
            instruction, _, rest = line.partition(" ")
            yield instruction, rest.strip()


def _from(rest: str, base: Path, work: Path) -> Stage:
    image, _, name = rest.partition(" AS ")
    name = name or "final"
    root = work / name
    if root.exists():
        shutil.rmtree(root)
    subprocess.run(["cp", "-a", str(base), str(root)], check=True)
    shutil.copy("/etc/resolv.conf", root / "etc" / "resolv.conf")
    _say(f"FROM {image}: {root}")
    return Stage(name, root)


def _set(instruction: str, rest: str, stage: Stage) -> None:
    """What an instruction notes down of the image."""
    match instruction:
        case "ENV":
            stage.environment |= dict(word.split("=", 1) for word in shlex.split(rest))
        case "WORKDIR":
            stage.folder = rest
            (stage.root / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)
        case "USER":
            stage.user = rest
        case "SHELL":
            stage.shell = json.loads(rest)
        case "ENTRYPOINT":
            stage.entry_point = json.loads(rest)
        case "HEALTHCHECK":
            stage.health_check = json.loads(rest[rest.index("CMD") + len("CMD") :])
        case "STOPSIGNAL":
            stage.stop_signal = rest.removeprefix("SIG")
        case _ if instruction not in {"EXPOSE", "VOLUME"}:
            sys.exit(f"{instruction} is unknown here: teach it to this script.")


def _run(command: str, stage: Stage, arguments: argparse.Namespace) -> None:
    if NEEDS_CUDA in command:
        stage.not_run.append(command)
        _say(f"NOT RUN, needs CUDA: {command}")
        return
    _say(f"RUN {command}")
    began_at = time.monotonic()
    with _mounted(stage.root, arguments.share):
        subprocess.run(stage.command([*stage.shell, command]), check=True)
    _say(f"  done in {time.monotonic() - began_at:.0f} s")


def _copy(
    words: list[str], stage: Stage, stages: dict[str, Stage], arguments: argparse.Namespace
) -> None:
    _say(f"COPY {' '.join(words)}")
    if words[0].startswith("--from="):
        other = stages[words[0].removeprefix("--from=")]
        source, target = other.root / words[1].lstrip("/"), stage.root / words[2].lstrip("/")
        stage.not_run += other.not_run
        target.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-a", "-T", str(source), str(target)], check=True)
        return
    folder = stage.root / stage.folder.lstrip("/")
    for name in context():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(CONTEXT / name, folder / name)
    if arguments.wheels:
        shutil.copytree(arguments.wheels, folder / ".cache" / "wheels")
        _say("  with llama.cpp from --wheels, compiled already")


def context() -> Iterator[str]:
    """The tracked files that .dockerignore lets through; its last pattern that matches decides."""
    patterns = [
        line
        for line in (CONTEXT / ".dockerignore").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    tracked = subprocess.run(
        ["git", "-C", str(CONTEXT), "ls-files"], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    for name in tracked:
        ignored = False
        for pattern in patterns:
            bare = pattern.lstrip("!").removeprefix("**/")
            if any(fnmatch(str(part), bare) for part in (name, *Path(name).parents)):
                ignored = not pattern.startswith("!")
        if not ignored:
            yield name


@contextmanager
def _mounted(root: Path, shared: Sequence[Path]) -> Iterator[None]:
    """/proc, /dev, and what is shared of this machine, for as long as a step runs."""
    with ExitStack() as stack:
        for source in (Path("/proc"), Path("/dev"), *shared):
            target = root / str(source).lstrip("/")
            if source.is_dir():
                target.mkdir(parents=True, exist_ok=True)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.touch()
            subprocess.run(["mount", "--bind", str(source), str(target)], check=True)
            stack.callback(subprocess.run, ["umount", "--lazy", str(target)], check=True)
        yield


def _serve(stage: Stage) -> int:
    """Start the entry point without a network, ask the health check, stop it."""
    if stage.not_run:
        _say(f"The entry point is not started: {len(stage.not_run)} steps need CUDA.")
        return 0
    _say("Starting the entry point, with loopback alone")
    stage.environment["TINIG_SERVER_API_KEYS"] = "a key for the rehearsal"
    server, check = (
        shlex.join(stage.command(stage.entry_point)),
        shlex.join(stage.command(stage.health_check)),
    )
    script = f"""
        ip link set lo up
        {server} & server=$!
        until {check} 2>/dev/null; do
            kill -0 $server || exit 1
            sleep 0.5
        done
        echo "healthy after $SECONDS s"
        kill -{stage.stop_signal} $server
        wait $server
    """
    with _mounted(stage.root, ()):
        run = subprocess.run(
            ["unshare", "--net", "bash", "-c", script],
            timeout=HEALTHY_WITHIN_SECONDS,
            check=False,
        )
    _say(f"The server ended with status {run.returncode} after SIG{stage.stop_signal}.")
    return run.returncode


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
