"""Set up .venv: create it, install the locks, compile llama.cpp. Standard library only.

`make setup` runs this before every other verb. When nothing has changed since the last time it says
nothing and takes a few hundredths of a second.
"""

from __future__ import annotations  # an older Python must get as far as the check of its version

import argparse
import fcntl
import hashlib
import importlib.util
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements"
VENV = ROOT / ".venv"
TRAIN_VENV = ROOT / ".venv-train"
CACHE = ROOT / ".cache"
LOG = CACHE / "setup.log"
COMPILE_CORE_MINUTES = 6  # measured: three minutes on two cores
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"  # where PyTorch publishes its CPU builds

CMAKE_ARGS = {
    "cpu": ["-DLLAVA_BUILD=OFF", "-DGGML_NATIVE=OFF"],
    "gpu": ["-DLLAVA_BUILD=OFF", "-DGGML_NATIVE=OFF", "-DGGML_CUDA=ON"],
}


class SetupError(Exception):
    """Set-up cannot go on; the message says what mends it."""


class Progress:
    """Numbered steps with their seconds; within a step, one line that changes."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.number = 0
        self.began_at = time.monotonic()
        self.told_at = self.began_at
        self.is_terminal = sys.stdout.isatty()

    def step(self, title: str) -> None:
        """Announce the next step."""
        self.number += 1
        self.told_at = time.monotonic()
        print(f"[{self.number}/{self.total}] {title} ({self._elapsed()})", flush=True)

    def detail(self, text: str) -> None:
        """Where the step is: in place on a terminal, every ten seconds elsewhere."""
        if self.is_terminal:
            print(f"\r      {text[:70]}\x1b[K", end="", flush=True)
        elif time.monotonic() - self.told_at > 10:
            self.told_at = time.monotonic()
            print(f"      {text} ({self._elapsed()})", flush=True)

    def clear(self) -> None:
        """Take the changing line away."""
        if self.is_terminal:
            print("\r\x1b[K", end="", flush=True)

    def ready(self) -> None:
        """Say that all steps are done."""
        print(f"Ready after {self._elapsed()}.", flush=True)

    def _elapsed(self) -> str:
        return f"{time.monotonic() - self.began_at:.0f} s"


def main(argv: Sequence[str]) -> int:
    """Exit status: 0 when everything is in place, 1 with a sentence on standard error."""
    arguments = _arguments(argv)
    try:
        _check_python()
        with _only_one():
            if arguments.train:
                set_up_training()
            else:
                set_up(_variant(arguments.gpu), runtime=arguments.runtime)
    except SetupError as error:
        print(f"\nSet-up stopped: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nSet-up stopped. The next one goes on from here.", file=sys.stderr)
        return 130
    return 0


def set_up(variant: str, *, runtime: bool = False) -> None:
    """Bring .venv up to date for `variant`, "cpu" or "gpu"; `runtime`: with what serving needs."""
    locks = _locks(variant, runtime=runtime)
    fingerprint = f"{variant} {_digest([*locks, *_inputs()])}"
    if _read(VENV / ".ready") == fingerprint:
        return
    _check_tools(variant)
    wheels = CACHE / "wheels" / _wheel_key(variant)
    progress = Progress(total=4 if _wheel_in(wheels) else 5)
    print(f"Setting up Tinig in {VENV} (details in {LOG})")
    _create(VENV, progress)
    progress.step("Installing packages: some 200 MB to download")
    for lock in locks:
        _pip(VENV, ["install", "--no-deps", "--require-hashes", "-r", str(lock)], progress)
    if not _wheel_in(wheels):
        _compile(wheels, variant, progress)
    progress.step("Installing llama.cpp")
    wheel = str(_wheel_in(wheels))
    _pip(VENV, ["install", "--no-deps", "--no-index", "--force-reinstall", wheel], progress)
    progress.step("Checking the starter models")
    _restore_starter_models(progress)
    (VENV / ".ready").write_text(fingerprint)
    progress.ready()


def set_up_training() -> None:
    """Bring .venv-train up to date: torch, the recipes' tools, .venv's build of llama.cpp."""
    variant = _variant(None)
    torch = _torch_requirement(variant)
    fingerprint = f"{torch} {variant} {_digest([REQUIREMENTS / 'train.txt', *_inputs()])}"
    if _read(TRAIN_VENV / ".ready") == fingerprint:
        return
    wheel = _wheel_in(CACHE / "wheels" / _wheel_key(variant))
    if wheel is None:
        raise SetupError("llama.cpp is not compiled yet: make setup")
    progress = Progress(total=3)
    print(f"Setting up {TRAIN_VENV} for training (details in {LOG})")
    _create(TRAIN_VENV, progress)
    _install_torch(torch, progress)
    progress.step("Installing the training tools")
    tools = ["-r", str(REQUIREMENTS / "train.txt"), str(wheel)]
    _pip(TRAIN_VENV, ["install", torch, *tools], progress)
    (TRAIN_VENV / ".ready").write_text(fingerprint)
    progress.ready()


def _torch_requirement(variant: str) -> str:
    """The torch of train.txt; without an NVIDIA GPU its CPU build, by a name that no other has.

    The torch on PyPI is built for CUDA and brings gigabytes of libraries. A resolver's dry run is
    no way to find that out, since pip downloads them for it where an index publishes no metadata.
    """
    torch = re.search(r"^torch==\S+", (REQUIREMENTS / "train.txt").read_text(), re.MULTILINE)
    assert torch is not None
    has_gpu = variant == "gpu" or shutil.which("nvidia-smi") is not None
    return torch[0] if has_gpu or sys.platform != "linux" else f"{torch[0]}+cpu"


def _install_torch(torch: str, progress: Progress) -> None:
    """Install it before anything else, which could bring another build of it."""
    if not torch.endswith("+cpu"):
        progress.step(f"Installing {torch}")
        _pip(TRAIN_VENV, ["install", torch], progress)
        return
    progress.step(f"Installing {torch}: there is no NVIDIA GPU here, so the build without CUDA")
    index = ["--retries=1", f"--extra-index-url={TORCH_CPU_INDEX}"]
    try:
        _pip(TRAIN_VENV, ["install", "--no-deps", *index, torch], progress)
    except SetupError as error:
        raise SetupError(
            f"{error}\ntorch's build without CUDA was not found, and the one with CUDA is not "
            "fetched on a machine without a GPU. Name an index or a folder that has it: "
            "PIP_EXTRA_INDEX_URL=... or PIP_FIND_LINKS=... make starter"
        ) from error


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Set up Tinig's virtual environment.")
    parser.add_argument("--gpu", choices=["0", "1"], help="1: for CUDA; 0: back to the CPU")
    parser.add_argument(
        "--runtime", action="store_true", help="without what tests need: for images"
    )
    parser.add_argument("--train", action="store_true", help="set up .venv-train instead")
    return parser.parse_args(argv)


def _variant(gpu: str | None) -> str:
    """What was asked for, else what is installed, else the CPU."""
    if gpu is None:
        return _read(VENV / ".ready").partition(" ")[0] or "cpu"
    return "gpu" if gpu == "1" else "cpu"


@contextmanager
def _only_one() -> Iterator[None]:
    """Wait while another set-up of this tree runs, as with `make serve` and `make demo` at once."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


# What set-up needs from the machine.


def _check_python() -> None:
    if not (3, 11) <= sys.version_info < (3, 15):
        raise SetupError(
            f"this is Python {platform.python_version()}, and Tinig needs 3.11 to 3.14. Name one "
            "that you have: make setup PYTHON=python3.12"
        )
    if importlib.util.find_spec("ensurepip") is None:  # Debian ships it apart
        raise SetupError("Python's venv module is missing: sudo apt-get install python3-venv")


def _check_tools(variant: str) -> None:
    if _wheel_in(CACHE / "wheels" / _wheel_key(variant)):
        return
    packages = {"c++": "build-essential", "cmake": "cmake"}
    missing = [package for tool, package in packages.items() if not shutil.which(tool)]
    if missing:
        raise SetupError(
            "llama.cpp is compiled here, and this machine lacks a tool for it: "
            f"sudo apt-get install {' '.join(missing)}"
        )
    if variant == "gpu" and not shutil.which("nvcc"):
        raise SetupError(
            "the CUDA variant needs nvcc on the path: install NVIDIA's CUDA toolkit, or leave "
            "GPU=1 out to run on the CPU"
        )


# The steps.


def _create(venv: Path, progress: Progress) -> None:
    progress.step(f"Creating {venv.name} with Python {platform.python_version()}")
    LOG.write_text("")
    if not (venv / "bin" / "python").exists():
        _run([sys.executable, "-m", "venv", str(venv)], progress)


def _compile(wheels: Path, variant: str, progress: Progress) -> None:
    cores = len(os.sched_getaffinity(0))
    minutes = max(1, round(COMPILE_CORE_MINUTES / cores))
    unit = "minute" if minutes == 1 else "minutes"
    time_ = "15 minutes or more" if variant == "gpu" else f"about {minutes} {unit}"
    progress.step(f"Compiling llama.cpp, once: {time_} on {cores} cores, after 77 MB of source")
    include = shlex.quote(f"-DCMAKE_PROJECT_llama_cpp_INCLUDE={REQUIREMENTS / 'llama.cmake'}")
    environment = {
        "CMAKE_ARGS": " ".join([*CMAKE_ARGS[variant], include]),
        "PATH": f"{VENV / 'bin'}{os.pathsep}{os.environ['PATH']}",  # ninja is there
    }
    lock = str(REQUIREMENTS / "llama.lock")
    fresh = wheels.with_suffix(".part")  # never taken for a whole one when this is interrupted
    build = ["wheel", "--verbose", "--no-deps", "--no-build-isolation", "--require-hashes"]
    # pip's own cache does not tell builds with different options apart.
    _pip(VENV, [*build, "--no-cache-dir", "-w", str(fresh), "-r", lock], progress, environment)
    fresh.rename(wheels)


def _restore_starter_models(progress: Progress) -> None:
    """Bring back committed model files that were deleted. A copy without git has nothing to ask."""
    if not (ROOT / ".git").exists():
        return
    git = ["git", "-C", str(ROOT)]
    listing = [*git, "ls-files", "--deleted", "--", "models/starter"]
    deleted = subprocess.run(listing, check=True, capture_output=True, text=True).stdout.split("\n")
    if files := [file for file in deleted if file]:
        _run([*git, "checkout", "--", *files], progress)


def _pip(
    venv: Path,
    arguments: Sequence[str],
    progress: Progress,
    environment: Mapping[str, str] | None = None,
) -> None:
    pip = [str(venv / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    _run([*pip, *arguments, "--progress-bar=off"], progress, environment)


def _run(
    command: Sequence[str], progress: Progress, environment: Mapping[str, str] | None = None
) -> None:
    """Run a command, its output into the log and the gist of it on the progress line."""
    lines = []
    with (
        LOG.open("a") as log,
        subprocess.Popen(
            command,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process,
    ):
        for line in process.stdout or ():
            log.write(line)
            lines.append(line)
            if gist := _gist(line):
                progress.detail(gist)
    progress.clear()
    if process.returncode:
        tail = "".join(lines[-25:])
        raise SetupError(f"`{shlex.join(command[:6])} ...` failed.\n{tail}\nAll of it: {LOG}")


def _gist(line: str) -> str:
    """What a line of pip or ninja says of the progress; nothing for most lines."""
    if match := re.match(r"\s*\[(\d+)/(\d+)\] ", line):
        return f"compiled {match[1]} of {match[2]} files"
    if match := re.match(r"\s*(Collecting \S+|Downloading [\w.-]+|Installing collected)", line):
        return match[1]
    return ""


# What is already there.


def _locks(variant: str, *, runtime: bool = False) -> list[Path]:
    names = ["runtime.lock" if runtime else "cpu.lock", *(["gpu.lock"] if variant == "gpu" else [])]
    return [REQUIREMENTS / name for name in names]


def _inputs() -> list[Path]:
    llama = [REQUIREMENTS / "llama.lock", REQUIREMENTS / "llama.cmake"]
    return [*llama, Path(__file__)]


def _wheel_key(variant: str) -> str:
    """Names a build of llama.cpp: its version and options, and the machine that it is for."""
    sources = _digest([REQUIREMENTS / "llama.lock", REQUIREMENTS / "llama.cmake"])
    parts = [sources, *CMAKE_ARGS[variant], platform.machine(), *platform.libc_ver()]
    return f"{variant}-{hashlib.sha256(' '.join(parts).encode()).hexdigest()[:12]}"


def _wheel_in(folder: Path) -> Path | None:
    return next(folder.glob("llama_cpp_python-*.whl"), None)


def _digest(files: Sequence[Path]) -> str:
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
