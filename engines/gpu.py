"""Whether an NVIDIA GPU that is here can be used; if not, a sentence says why and what to do.

CTranslate2 and llama.cpp fall back to the CPU without a word. The driver is asked directly, through
libcuda, which tells more than that there are no devices.
"""

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engines.cuda import load_cublas

_DRIVER = "libcuda.so.1"
_PCI_DEVICES = Path("/sys/bus/pci/devices")
_NVIDIA, _DISPLAY = "0x10de", "0x03"
_NO_DEVICE = 100
_CAPABILITY_MAJOR, _CAPABILITY_MINOR = 75, 76  # CU_DEVICE_ATTRIBUTE_...
_NEEDED_CUDA = 12


@dataclass(frozen=True, slots=True)
class Facts:
    """What there is of a GPU on this machine."""

    is_plugged_in: bool = False
    has_driver: bool = False
    error: int = 0  # of the driver's start; 0: none
    cuda: tuple[int, int] = (0, 0)  # the newest that the driver supports
    gpus: tuple[str, ...] = ()  # "NVIDIA L4, 23034 MB, compute 8.9"
    has_cublas: bool = False
    has_llama: bool = False  # a build of llama.cpp that can use it


def look(*, has_llama: bool) -> Facts:
    """Ask the machine. `has_llama`: what `engines.llm.llama.supports_gpu` says."""
    plugged_in = _is_plugged_in(_PCI_DEVICES)
    try:
        driver = ctypes.CDLL(_DRIVER)
    except OSError:
        return Facts(plugged_in, has_llama=has_llama)
    error = int(driver.cuInit(0))
    if error:
        return Facts(plugged_in, has_driver=True, error=error, has_llama=has_llama)
    return Facts(
        plugged_in,
        has_driver=True,
        cuda=_cuda(driver),
        gpus=tuple(_gpus(driver)),
        has_cublas=load_cublas(),
        has_llama=has_llama,
    )


def problems(facts: Facts) -> Iterator[str]:
    """What keeps a GPU that is here from being used. Nothing on a machine that has none."""
    if not facts.has_driver:
        if facts.is_plugged_in:
            yield (
                f"There is an NVIDIA GPU, but no driver for it ({_DRIVER}): install NVIDIA's "
                "driver, or start the container with --gpus all. Everything runs on the CPU."
            )
    elif facts.error == _NO_DEVICE or (not facts.error and not facts.gpus):
        yield (
            "NVIDIA's driver is here and sees no GPU: start the container with --gpus all, or look "
            "at CUDA_VISIBLE_DEVICES. Everything runs on the CPU."
        )
    elif facts.error:
        yield (
            f"NVIDIA's driver does not start (CUDA error {facts.error}): after an update of the "
            "driver, restart the machine; else see what nvidia-smi says. Everything runs on the "
            "CPU."
        )
    elif facts.cuda[0] < _NEEDED_CUDA:
        yield (
            f"NVIDIA's driver knows CUDA up to {facts.cuda[0]}.{facts.cuda[1]}, and {_NEEDED_CUDA} "
            "is needed: update it to 525 or newer. Everything runs on the CPU."
        )
    else:
        yield from _missing_parts(facts)


def _missing_parts(facts: Facts) -> Iterator[str]:
    if not facts.has_cublas:
        yield (
            f"{facts.gpus[0]} is here, but cuBLAS 12 is not, so speech is recognized on the CPU: "
            "make setup GPU=1 installs it."
        )
    if not facts.has_llama:
        yield (
            f"{facts.gpus[0]} is here, but llama.cpp was compiled without CUDA, so the language "
            "model runs on the CPU: make setup GPU=1 compiles it anew."
        )


def _is_plugged_in(devices: Path) -> bool:
    return any(
        (device / "vendor").read_text().strip() == _NVIDIA
        and (device / "class").read_text().startswith(_DISPLAY)
        for device in devices.glob("*")
    )


def _cuda(driver: ctypes.CDLL) -> tuple[int, int]:
    version = ctypes.c_int()
    driver.cuDriverGetVersion(ctypes.byref(version))
    return version.value // 1000, version.value % 1000 // 10


def _gpus(driver: ctypes.CDLL) -> Iterator[str]:
    count = ctypes.c_int()
    driver.cuDeviceGetCount(ctypes.byref(count))
    for number in range(count.value):
        name = ctypes.create_string_buffer(128)
        driver.cuDeviceGetName(name, len(name), number)
        total = ctypes.c_size_t()
        driver.cuDeviceTotalMem_v2(ctypes.byref(total), number)
        major, minor = (
            _attribute(driver, which, number) for which in (_CAPABILITY_MAJOR, _CAPABILITY_MINOR)
        )
        label = name.value.decode(errors="replace")
        yield f"{label}, {total.value / 1e6:.0f} MB, compute {major}.{minor}"


def _attribute(driver: ctypes.CDLL, which: int, number: int) -> int:
    value = ctypes.c_int()
    driver.cuDeviceGetAttribute(ctypes.byref(value), which, number)
    return value.value
