"""Every parser under atheris, in an environment of its own under .cache/: `make fuzz`.

    python -m tests.fuzz --seconds 60 realtime_json twilio

An input that a parser breaks on is written to .cache/fuzz/, and the exit status is 1.
"""

import argparse
import os
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from evaluation.server_process import REPOSITORY
from tests.fuzz.parsers import PARSERS
from tests.fuzz.seeds import SEEDS

CACHE = REPOSITORY / ".cache" / "fuzz"
LOCK = Path(__file__).with_name("requirements.lock")
PYTHON = CACHE / "venv" / "bin" / "python"
SLOWEST_SECONDS = 10  # of one input: more is a hang
MEMORY_MEGABYTES = 2048


def main() -> int:
    """Fuzz the parsers that are named, or all; how many broke."""
    arguments = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    arguments.add_argument("parsers", nargs="*", choices=[[], *PARSERS], metavar="parser")
    arguments.add_argument("--seconds", type=int, default=60, help="for each parser")
    wanted = arguments.parse_args()
    _install()
    broken = [name for name in wanted.parsers or PARSERS if not _fuzz(name, wanted.seconds)]
    print(f"Broken: {', '.join(broken)}." if broken else "None broke.")
    return 1 if broken else 0


def _install() -> None:
    if PYTHON.exists():
        return
    venv = ["venv", "--quiet", "--python", sys.executable, str(CACHE / "venv")]
    install = ["pip", "install", "--quiet", "--require-hashes", "--python", str(PYTHON)]
    for command in (venv, [*install, "--requirement", str(LOCK)]):
        subprocess.run([sys.executable, "-m", "uv", *command], check=True)


def _fuzz(name: str, seconds: int) -> bool:
    corpus = CACHE / name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(SEEDS[name]):
        (corpus / f"seed-{number}").write_bytes(seed)
    options = [
        f"-max_total_time={seconds}",
        f"-timeout={SLOWEST_SECONDS}",
        f"-rss_limit_mb={MEMORY_MEGABYTES}",
        f"-artifact_prefix={CACHE}/{name}-",
        "-print_final_stats=1",
        "-verbosity=0",
    ]
    command = [str(PYTHON), "-m", "tests.fuzz.guided", name, *options, str(corpus)]
    print(f"{name}: {seconds} s", flush=True)
    return subprocess.run(command, cwd=REPOSITORY, env=_environment(), check=False).returncode == 0


def _environment() -> Mapping[str, str]:
    """With this environment's packages behind atheris's own."""
    packages = os.pathsep.join([str(REPOSITORY), sysconfig.get_path("purelib")])
    return {**os.environ, "PYTHONPATH": packages}


if __name__ == "__main__":
    sys.exit(main())
