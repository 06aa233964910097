"""CTranslate2 on CUDA: the libraries that it needs and does not bring, and where a model runs."""

import ctypes
import importlib.util
from pathlib import Path

import ctranslate2

from engines.errors import ModelError

_LIBRARIES = ("libcublasLt.so.12", "libcublas.so.12")  # the second needs the first


def load_cublas() -> bool:
    """Load cuBLAS 12 into the process, from the system or the nvidia-cublas-cu12 package.

    CTranslate2 opens it by name at its first use, and a library that is loaded already is found
    under its name wherever it lies. False when there is none: then only the CPU can be used.
    """
    return all(_load(name) for name in _LIBRARIES)


def device_of(wanted: str, setting: str) -> str:
    """ "cpu" or "cuda", where "auto" is wanted too: CUDA where it can be used.

    Raises `ModelError`, which names the setting, when CUDA is asked for and cannot be used.
    """
    if wanted == "cpu":
        return "cpu"
    devices = ctranslate2.get_cuda_device_count()
    usable = devices > 0 and load_cublas()
    if wanted == "cuda" and not usable:
        lack = "no cuBLAS 12 (make setup GPU=1 installs it)" if devices else "no CUDA device"
        raise ModelError(f"{setting} is cuda, but there is {lack}. Set it to auto or cpu.")
    return "cuda" if usable else "cpu"


def _load(name: str) -> bool:
    candidates = [name, *(str(folder / name) for folder in _package_folders())]
    for candidate in candidates:
        try:
            ctypes.CDLL(candidate, mode=ctypes.RTLD_GLOBAL)
        except OSError:
            continue
        return True
    return False


def _package_folders() -> list[Path]:
    spec = importlib.util.find_spec("nvidia")  # a namespace that NVIDIA's packages share
    locations = spec.submodule_search_locations if spec else None
    return [Path(location) / "cublas" / "lib" for location in locations or ()]
