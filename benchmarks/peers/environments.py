"""The peers' own environments under .cache/, made once from their locks: none of it is ours."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from evaluation.server_process import REPOSITORY
from scripts.setup import TORCH_CPU_INDEX

HERE = Path(__file__).resolve().parent
CACHE = REPOSITORY / ".cache" / "peers"
REQUIREMENTS = HERE / "requirements"
TORCH = "torch==2.13.0"
SILERO_HUB = "hub/snakers4_silero-vad_master"  # under TORCH_HOME: where torch.hub keeps it


class PeerUnavailable(Exception):
    """A peer cannot run here; says why."""


def environment(name: str, on_step: Callable[[str], None]) -> Path:
    """The Python of an environment that is up to date with `requirements/NAME.lock`.

    Raises `PeerUnavailable`.
    """
    folder, lock = CACHE / name, REQUIREMENTS / f"{name}.lock"
    python = folder / "bin" / "python"

    def make() -> None:
        on_step(f"making the environment of {name} in {folder}")
        run([sys.executable, "-m", "uv", "venv", "--quiet", "--clear", str(folder)])
        _BEFORE.get(name, _nothing)(python)
        uv = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", str(python)]
        run([*uv, "--no-deps", "--requirement", str(lock)])
        _AFTER.get(name, _nothing)(python)

    make_once(folder, lock, make)
    return python


def make_once(folder: Path, lock: Path, make: Callable[[], None]) -> None:
    """Make what belongs into the folder, unless it was made from this very lock."""
    stamp, digest = folder / ".ready", hashlib.sha256(lock.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != digest:
        make()
        stamp.write_text(digest, encoding="utf-8")


def run(command: Sequence[str]) -> None:
    """Run a step of an installation. Raises `PeerUnavailable` with its last words."""
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if done.returncode:
        last = "\n".join(done.stderr.strip().splitlines()[-8:])
        raise PeerUnavailable(f"`{' '.join(command[1:6])} ...` failed:\n{last}")


def _install_torch(python: Path) -> None:
    """The build without CUDA, which PyPI has not; by pip, which knows the folders of wheels."""
    on_linux = sys.platform == "linux"
    index = [f"--extra-index-url={TORCH_CPU_INDEX}", "--retries=1"] if on_linux else []
    wanted = f"{TORCH}+cpu" if on_linux else TORCH
    pip = [sys.executable, "-m", "pip", "--python", str(python)]
    run([*pip, "install", "--quiet", "--no-deps", *index, wanted])


def _prepare_speech_to_speech(python: Path) -> None:
    """What it would fetch at its first start, from the packages that are installed already.

    The sentence splitter's parameters are NLTK's own for a language of which nothing is known.
    """
    data = python.parent.parent / "share"
    hub = data / "torch" / SILERO_HUB
    hub.mkdir(parents=True)
    shutil.copy(HERE / "silero_hubconf.py", hub / "hubconf.py")
    punkt = data / "nltk" / "tokenizers" / "punkt_tab" / "english"
    code = (
        "import sys; from nltk.tokenize.punkt import PunktParameters, save_punkt_params; "
        "save_punkt_params(PunktParameters(), sys.argv[1])"
    )
    punkt.mkdir(parents=True)
    (data / "nltk" / "taggers" / "averaged_perceptron_tagger_eng").mkdir(parents=True)  # unused
    run([str(python), "-c", code, str(punkt)])


def _nothing(_: Path) -> None:
    """For an environment that is ready as installed."""


_BEFORE = {"speech-to-speech": _install_torch}
_AFTER = {"speech-to-speech": _prepare_speech_to_speech}
