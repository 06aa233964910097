"""llama.cpp's own server from the very source of Tinig's build: no package has it."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.peers.environments import CACHE, make_once, run
from evaluation.server_process import REPOSITORY
from scripts.setup import CMAKE_ARGS

LOCK = REPOSITORY / "requirements" / "llama.lock"
FOLDER = CACHE / "llama"
_OPTIONS = (
    "-DCMAKE_BUILD_TYPE=Release",
    "-DBUILD_SHARED_LIBS=OFF",
    "-DLLAMA_BUILD_EXAMPLES=OFF",
    "-DLLAMA_BUILD_TESTS=OFF",
    "-DLLAMA_OPENSSL=OFF",
    "-DLLAMA_USE_PREBUILT_UI=OFF",  # its web page would be fetched
)


def llama_server(on_step: Callable[[str], None]) -> Path:
    """Where it is; compiled the first time, minutes on two cores. Raises `PeerUnavailable`."""

    def make() -> None:
        on_step(f"compiling llama-server into {FOLDER}")
        with TemporaryDirectory() as scratch:
            _compile(Path(scratch))

    make_once(FOLDER, LOCK, make)
    return FOLDER / "llama-server"


def _compile(scratch: Path) -> None:
    pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-build-isolation"]
    run([*pip, "--require-hashes", "--requirement", str(LOCK), "--dest", str(scratch)])
    shutil.unpack_archive(next(scratch.glob("*.tar.gz")), scratch)
    source, build = next(scratch.glob("*/vendor/llama.cpp")), scratch / "build"
    run(["cmake", "-S", str(source), "-B", str(build), *CMAKE_ARGS["cpu"], *_OPTIONS])
    run(["cmake", "--build", str(build), "--target", "llama-server", "--parallel"])
    FOLDER.mkdir(parents=True, exist_ok=True)
    shutil.copy(build / "bin" / "llama-server", FOLDER)
